// Goal: nobody learns more than they may: no name and no text for strangers, no secret for anybody, and an answer is
// never too long. Method: a report full of things that must not be said, asked for in every dialect by every caller.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "fake_health.hpp"
#include "serin/endpoints/endpoints.hpp"
#include "serin/endpoints/probers.hpp"
#include "serin/sim/world.hpp"

namespace serin::endpoints {
namespace {

using health::CheckAnswer;
using health::Kind;

constexpr std::array dialects{Dialect::native,      Dialect::kubernetes,  Dialect::microprofile, Dialect::actuator,
                              Dialect::health_json, Dialect::aspnet_word, Dialect::aspnet_ui,    Dialect::prometheus};
constexpr std::array paths{"/health", "/ready", "/startup", "/health/deep", "/health/group/core", "/ready/cellar"};

struct Disclosed : testing::Test {
  Endpoints speaking(Dialect dialect, EndpointsOptions options = {}) {
    for (Route& route : options.routes) {
      route.dialect = dialect;
      route.by_accept = false;
    }
    options.authenticator = bearer("sesame").value();
    return Endpoints::make(std::move(options), who, source, world.sleeper()).value();
  }
  static HttpRequest known(std::string target) {
    return {.target = std::move(target), .headers = {{"Authorization", "Bearer sesame"}}};
  }
  const health::Identity who{
      .service = "shopkeeper", .version = "9.8.7", .revision = "rev77", .commit = "c0ffee", .environment = "moonbase"};
  sim::World world;
  FakeHealth source;
};

TEST_F(Disclosed, strangers_learn_the_status_and_nothing_else) {  // statement 9
  source.group_names = {"core"};
  source.checks.push_back({.name = "cellar",
                           .kinds = Kind::liveness | Kind::readiness | Kind::startup | Kind::deep,
                           .groups = {"core"},
                           .component_type = "datastore",
                           .answer = CheckAnswer::fail("why77", "db1.internal refused", {{"host77", "db1.internal"}})});
  EndpointsOptions options;
  options.anonymous = Disclosure::status;
  for (const Dialect dialect : dialects) {
    const Endpoints all = speaking(dialect, options);
    for (const std::string path : paths)
      for (const std::string query : {"", "?verbose", "?exclude=cellar", "?verbose&exclude=core"}) {
        const HttpResponse answer = all.handle({.target = path + query});
        for (const std::string_view secret : {"cellar", "why77", "db1", "host77", "datastore", "shopkeeper", "9.8.7",
                                              "rev77", "c0ffee", "moonbase", "core"})
          EXPECT_EQ(answer.body.find(secret), std::string::npos) << path << query << " shows " << secret << "\n"
                                                                 << answer.body;
        for (const auto& [name, value] : answer.headers) EXPECT_EQ(value.find("shopkeeper"), std::string::npos) << name;
      }
  }
  EXPECT_EQ(speaking(Dialect::native, options).handle({.target = "/ready"}).body, R"({"status":"unhealthy"})");
  options.anonymous = Disclosure::none;
  EXPECT_EQ(speaking(Dialect::native, options).handle({.target = "/ready"}).body, "");
  EXPECT_EQ(speaking(Dialect::native, options).handle({.target = "/ready"}).status, 503);
}

TEST_F(Disclosed, by_default_strangers_see_texts_in_no_dialect) {
  source.checks.push_back({.name = "cellar",
                           .kinds = Kind::liveness | Kind::readiness | Kind::startup | Kind::deep,
                           .answer = CheckAnswer::fail("why77", "db1.internal refused", {{"host77", "db1.internal"}})});
  for (const Dialect dialect : dialects)
    for (const std::string path : {"/health", "/ready", "/startup", "/health/deep", "/ready/cellar"})
      for (const std::string query : {"", "?verbose"}) {
        const HttpResponse answer = speaking(dialect).handle({.target = path + query});
        for (const std::string_view secret : {"why77", "db1", "host77"})
          EXPECT_EQ(answer.body.find(secret), std::string::npos) << path << query << "\n" << answer.body;
      }
}

TEST_F(Disclosed, a_secret_of_a_connection_string_appears_nowhere) {  // statement 10
  CheckAnswer answer = CheckAnswer::fail("password=hunter2", "postgres://bob:hunter2@db/x failed: token=hunter2",
                                         {{"url", "https://bob:hunter2@db/"},
                                          {"password", "hunter2"},
                                          {"api_key", "a hunter2 with blanks"},
                                          {"pin_token", 2222}});
  source.checks.push_back(
      {.name = "db", .kinds = Kind::liveness | Kind::readiness | Kind::startup | Kind::deep, .answer = answer});
  for (const Dialect dialect : dialects)
    for (const std::string path : {"/health", "/ready", "/health/deep", "/ready/db", "/ready?exclude=db"}) {
      const HttpResponse said =
          speaking(dialect).handle(known(path + std::string(path.contains('?') ? "&" : "?") + "verbose"));
      EXPECT_EQ(said.body.find("hunter2"), std::string::npos) << said.body;
      EXPECT_EQ(said.body.find("2222"), std::string::npos) << said.body;
    }
  const std::string shown = speaking(Dialect::native).handle(known("/ready")).body;
  EXPECT_NE(shown.find(R"("error":"postgres://***@db/x failed: token=***")"), std::string::npos) << shown;
  EXPECT_NE(shown.find(R"("password":"***","api_key":"***","pin_token":"***")"), std::string::npos) << shown;
  EXPECT_EQ(agent_line(source.select({}).value()).find("hunter2"), std::string::npos);
}

TEST_F(Disclosed, exclude_and_single_checks_are_for_callers_who_are_known) {
  source.checks.push_back({.name = "db", .answer = CheckAnswer::fail("x", "y")});
  const Endpoints all = speaking(Dialect::native);
  const HttpResponse refused = all.handle({.target = "/ready?exclude=db"});
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.find("WWW-Authenticate"), "Bearer realm=\"health\"");
  const HttpResponse taken = all.handle(known("/ready?exclude=db&exclude=mail"));
  EXPECT_EQ(taken.status, 200);
  EXPECT_NE(taken.body.find(R"("excluded":["db"],"warnings":["there is no check and no group 'mail' to exclude"])"),
            std::string::npos)
      << taken.body;
  EndpointsOptions shy;
  shy.anonymous = Disclosure::status;
  EXPECT_EQ(speaking(Dialect::native, shy).handle({.target = "/ready/db"}).status, 401);
  EXPECT_EQ(speaking(Dialect::native, shy).handle({.target = "/ready/none"}).status, 401) << "nor whether it is there";
  EXPECT_EQ(speaking(Dialect::native, shy).handle(known("/ready/db")).status, 503);
  const auto open = Endpoints::make({}, who, source, world.sleeper()).value();
  EXPECT_EQ(open.handle({.target = "/ready?exclude=db"}).status, 403) << "nobody can be known";
}

TEST_F(Disclosed, excluding_does_not_end_a_drain) {
  source.draining = true;
  EXPECT_EQ(speaking(Dialect::native).handle(known("/ready?exclude=drain")).status, 503);
}

TEST_F(Disclosed, long_texts_are_cut_and_long_answers_stay_valid_and_whole_in_their_counts) {
  source.checks.push_back({.name = "db", .answer = CheckAnswer::fail("x", std::string(5000, 'a') + "\xff\xc3")});
  const auto body = [&](Dialect dialect) { return speaking(dialect).handle(known("/health/deep")).body; };
  EXPECT_EQ(boost::json::parse(body(Dialect::native)).at("checks").at(0).at("error").as_string().size(), 1024u);
  for (int i = 0; i < 3000; ++i)
    source.checks.push_back({.name = "check_" + std::to_string(i),
                             .critical = i % 2 == 0,
                             .answer = i % 100 == 0 ? CheckAnswer::warn("x", std::string(2000, 'b'))
                                                    : CheckAnswer::pass({{"d", std::string(500, 'c')}})});
  for (const Dialect dialect : dialects) {
    const std::string text = body(dialect);
    EXPECT_LE(text.size(), 64u * 1024u);
    EXPECT_GT(text.size(), 0u);
    if (dialect == Dialect::kubernetes || dialect == Dialect::aspnet_word || dialect == Dialect::prometheus) continue;
    EXPECT_TRUE(boost::json::parse(text).is_object());
  }
  const auto native = boost::json::parse(body(Dialect::native)).as_object();
  const auto& checks = native.at("checks").as_array();
  EXPECT_EQ(native.at("status"), "unhealthy");
  EXPECT_EQ(checks.at(0).at("check"), "db") << "the worst stays";
  EXPECT_EQ(checks.back().at("check"), "omitted");
  EXPECT_EQ(native.at("checks_failed"), 1);
  EXPECT_EQ(native.at("checks_run").as_int64(), static_cast<std::int64_t>(checks.size()));
}

TEST_F(Disclosed, what_is_no_utf_8_is_still_json) {
  source.checks.push_back(
      {.name = "d\"b\\\n\x01", .answer = CheckAnswer::fail("x", "\xff \xc3\xa4 \xed\xa0\x80 \xf0\x9f")});
  const auto body = boost::json::parse(speaking(Dialect::native).handle(known("/ready")).body);
  EXPECT_EQ(body.at("checks").at(0).at("check"), "d\"b\\\n\x01");
  EXPECT_EQ(body.at("checks").at(0).at("error").as_string().find("\xc3\xa4"), 4u);
}

}  // namespace
}  // namespace serin::endpoints
