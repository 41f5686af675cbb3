// Goal: every route answers with the code, the headers and the body of the health contract, whatever the checks do.
// Method: Endpoints over a HealthSource that says what it is told, on fake time; the contract's own questions through
// an HttpClient that calls handle().
#include "serin/endpoints/endpoints.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <stdexcept>

#include "fake_health.hpp"
#include "serin/conformance/conformance.hpp"
#include "serin/sim/world.hpp"

namespace serin::endpoints {
namespace {

using health::CheckAnswer;
using health::HealthStatus;
using health::Kind;

const health::Identity shop{
    .service = "shop", .version = "1.2.0", .revision = "r7", .commit = "abc", .environment = "test"};

struct Probes : testing::Test {
  Endpoints endpoints(EndpointsOptions options = {}) {
    return Endpoints::make(std::move(options), shop, source, world.sleeper()).value();
  }
  /// With the key "sesame".
  Endpoints guarded(EndpointsOptions options = {}) {
    options.authenticator = bearer("sesame").value();
    return endpoints(std::move(options));
  }
  static HttpRequest get(std::string target, HttpHeaders headers = {}) {
    return {.target = std::move(target), .headers = std::move(headers)};
  }
  static HttpRequest with_key(std::string target) {
    return get(std::move(target), {{"Authorization", "Bearer sesame"}});
  }
  void add(std::string name, CheckAnswer answer, bool critical = true, Kind kinds = Kind::readiness | Kind::deep) {
    source.checks.push_back({.name = std::move(name),
                             .critical = critical,
                             .kinds = kinds,
                             .duration = 1500us,
                             .checked_at = WallTime(1775757780s),
                             .answer = std::move(answer)});
  }
  sim::World world;
  FakeHealth source;
};

/// Carries requests to handle_later() and handle(), as a server does.
struct Direct final : HttpClient {
  explicit Direct(const Endpoints& to) : endpoints(to) {}
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view, HttpRequest request, Deadline, std::stop_token) override {
    if (request.target == "/metrics") return HttpResponse::text(200, "# TYPE up gauge\nup 1\n");
    std::optional<HttpResponse> answer;
    if (!endpoints.handle_later(request, [&](HttpResponse response) { answer = std::move(response); }))
      answer = endpoints.handle(request);
    if (!answer) return fail(Errc::deadline_exceeded, "nobody answered");
    if (request.method == "HEAD") answer->body.clear();
    return *answer;
  }
  const Endpoints& endpoints;
};

std::string broken(Probes& probes, const Endpoints& endpoints, bool hangs = false) {
  Direct client(endpoints);
  return conformance::broken(conformance::check_contract(
      client, probes.world.sleeper(), "http://shop:1", {.service = "shop", .key = "sesame", .dependency_hangs = hangs},
      Deadline::after(probes.world.now(), 1min)));
}

TEST_F(Probes, keep_the_contract_of_record_whatever_the_checks_say) {
  const Endpoints all = guarded();
  EXPECT_EQ(broken(*this, all), "") << "no check";
  add("db", CheckAnswer::pass({{"host", "db1"}}));
  EXPECT_EQ(broken(*this, all), "") << "one passes";
  add("data", CheckAnswer::warn("old", "3 days old"), false);
  EXPECT_EQ(broken(*this, all), "") << "one warns";
  add("mail", CheckAnswer::fail("refused", "10.0.0.7 refused"), false);
  EXPECT_EQ(broken(*this, all), "") << "one that is not critical fails";
  add("games", CheckAnswer::skip("no games today"));
  EXPECT_EQ(broken(*this, all), "") << "one is skipped";
  add("queue", CheckAnswer::unknown("not_run_yet", "it has not answered yet"));
  EXPECT_EQ(broken(*this, all), "") << "a critical one is unknown";
  add("cache", CheckAnswer::fail("timeout", "no answer within 2 s"));
  EXPECT_EQ(broken(*this, all, true), "") << "a critical one hangs";
  source.draining = true;
  EXPECT_EQ(broken(*this, all), "") << "and it drains";
  source.checks.clear();
  EXPECT_EQ(broken(*this, all), "") << "it drains and nothing else";
  source.draining = false;
  source.floor = HealthStatus::out_of_service;
  source.checks.clear();
  Direct client(all);
  const auto findings = conformance::check_contract(client, world.sleeper(), "http://shop:1", {.service = "shop"},
                                                    Deadline::after(world.now(), 1min));
  EXPECT_EQ(conformance::broken(findings),
            "GET /health answers 200: answered 503; /health says who it is: status, service, version, revision, "
            "commit, environment: status is not 'healthy': '" +
                all.handle(get("/health")).body + "'")
      << "the source itself says that liveness is gone: then /health says so, and nothing else is broken";
}

TEST_F(Probes, answer_the_native_dialect_byte_for_byte) {
  const Endpoints all = guarded();
  add("db", CheckAnswer::pass({{"rows", 7}, {"host", "db1"}}));
  add("data", CheckAnswer::warn("old", "3 days old"), false);
  EXPECT_EQ(all.handle(get("/health")).body,
            R"({"status":"healthy","service":"shop","version":"1.2.0","revision":"r7","commit":"abc",)"
            R"("environment":"test"})");
  EXPECT_EQ(
      all.handle(get("/ready")).body,
      R"({"status":"degraded","service":"shop","checks":[)"
      R"({"check":"db","status":"pass","critical":true,"duration_ms":1.5,"details":{},"error":null,"reason":null},)"
      R"({"check":"data","status":"warn","critical":false,"duration_ms":1.5,"details":{},"error":"withheld",)"
      R"("reason":null}],"total_duration_ms":1.5,"checks_run":2,"checks_passed":1,"checks_warned":1,)"
      R"("checks_failed":0,"checks_skipped":0})");
  EXPECT_EQ(all.handle(with_key("/ready")).body,
            R"({"status":"degraded","service":"shop","checks":[)"
            R"({"check":"db","status":"pass","critical":true,"duration_ms":1.5,"details":{"rows":7,"host":"db1"},)"
            R"("error":null,"reason":null},)"
            R"({"check":"data","status":"warn","critical":false,"duration_ms":1.5,"details":{},"error":"3 days old",)"
            R"("reason":"old"}],"total_duration_ms":1.5,"checks_run":2,"checks_passed":1,"checks_warned":1,)"
            R"("checks_failed":0,"checks_skipped":0})");
}

TEST_F(Probes, have_the_codes_of_the_table) {
  struct Row {
    HealthStatus status;
    bool draining;
    std::array<int, 4> codes;  // /health /ready /startup /health/deep
  };
  const std::array<std::string, 4> paths{"/health", "/ready", "/startup", "/health/deep"};
  const Endpoints all = endpoints();
  for (const Row& row :
       {Row{HealthStatus::up, false, {200, 200, 200, 200}}, Row{HealthStatus::degraded, false, {200, 200, 200, 200}},
        Row{HealthStatus::unknown, false, {200, 503, 503, 503}},
        Row{HealthStatus::out_of_service, false, {503, 503, 503, 503}},
        Row{HealthStatus::down, false, {503, 503, 503, 503}}, Row{HealthStatus::up, true, {200, 503, 200, 503}},
        Row{HealthStatus::degraded, true, {200, 503, 200, 503}}, Row{HealthStatus::unknown, true, {200, 503, 503, 503}},
        Row{HealthStatus::down, true, {503, 503, 503, 503}}}) {
    source.checks.clear();
    source.draining = row.draining;
    add("x", {.status = row.status}, true, Kind::liveness | Kind::readiness | Kind::startup | Kind::deep);
    for (std::size_t i = 0; i < paths.size(); ++i)
      EXPECT_EQ(all.handle(get(paths[i])).status, row.codes[i])
          << paths[i] << " " << health_status_name(row.status) << (row.draining ? " draining" : "");
  }
}

TEST_F(Probes, are_500_and_whole_when_the_library_itself_fails) {
  source.on_report = [] { throw std::runtime_error("token=hunter2 lost"); };
  const Endpoints all = guarded();
  for (const std::string path : {"/health", "/ready", "/startup", "/health/deep"}) {
    const HttpResponse answer = all.handle(with_key(path));
    EXPECT_EQ(answer.status, 500) << path;
    const auto body = boost::json::parse(answer.body).as_object();
    EXPECT_EQ(body.at("status"), "unhealthy") << path;
    if (path == "/health") continue;
    EXPECT_EQ(body.at("checks_failed"), 1) << answer.body;
    EXPECT_EQ(body.at("checks").at(0).at("error"), "token=*** lost");
  }
}

TEST_F(Probes, are_500_when_nobody_can_say_who_asks) {
  EndpointsOptions options;
  options.authenticator.who = [](const HttpRequest&) -> std::optional<Principal> { throw std::runtime_error("lost"); };
  const Endpoints all = endpoints(options);
  EXPECT_EQ(all.handle(get("/ready")).status, 500);
  int answers = 0;
  EXPECT_TRUE(all.handle_later(get("/health/deep"), [&](const HttpResponse& response) {
    EXPECT_EQ(response.status, 500);
    ++answers;
  }));
  EXPECT_EQ(answers, 1);
}

TEST_F(Probes, take_get_and_head_and_nothing_else) {
  const Endpoints all = endpoints();
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
    HttpRequest request = get("/ready");
    request.method = method;
    const HttpResponse answer = all.handle(request);
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.headers.find("Allow"), "GET, HEAD");
  }
  for (const std::string target : {"/health/", "/ready/", "//ready", "/ready/a/b", "/health/deep/", "/health/group",
                                   "/health/group/none", "/health/deep/none", "/ready/none", "/READY", "/", ""})
    EXPECT_EQ(all.handle(get(target)).status, 404) << target;
}

TEST_F(Probes, own_their_paths_and_what_may_be_called_so_below) {
  const Endpoints all = endpoints();
  for (const std::string_view path : {"/health", "/ready", "/ready/db", "/startup", "/health/deep", "/health/deep/db",
                                      "/health/group/core", "/ready/none"})
    EXPECT_TRUE(all.owns(path)) << path;
  for (const std::string_view path : {"/", "/health/", "/health/group", "/ready/a/b", "/startup/x", "/healthy", "/h"})
    EXPECT_FALSE(all.owns(path)) << path;
}

TEST_F(Probes, are_never_to_be_cached) {
  const Endpoints all = endpoints();
  for (const std::string path : {"/health", "/ready", "/nowhere"}) {
    const HttpResponse answer = all.handle(get(path));
    EXPECT_EQ(answer.headers.find("Cache-Control"), "no-store, no-cache") << path;
    EXPECT_EQ(answer.headers.find("Pragma"), "no-cache") << path;
    EXPECT_EQ(answer.headers.find("Expires"), "Thu, 01 Jan 1970 00:00:00 GMT") << path;
    EXPECT_EQ(answer.headers.find("X-Content-Type-Options"), "nosniff") << path;
  }
}

TEST_F(Probes, answer_for_one_check_and_for_one_group) {
  add("db", CheckAnswer::pass());
  add("a/b", CheckAnswer::fail("x", "y"));
  source.group_names = {"core"};
  source.checks[0].groups = {"core"};
  const Endpoints all = endpoints();
  EXPECT_EQ(all.handle(get("/ready/db")).status, 200);
  EXPECT_EQ(all.handle(get("/ready/a%2Fb")).status, 503);
  EXPECT_EQ(all.handle(get("/health/group/core")).status, 200);
  EXPECT_NE(all.handle(get("/health/group/core")).body.find(R"("checks_run":1)"), std::string::npos);
}

TEST_F(Probes, while_draining_can_be_404_but_not_for_what_is_broken) {
  EndpointsOptions options;
  options.routes[1].codes.draining = 404;
  add("db", CheckAnswer::pass());
  source.draining = true;
  const Endpoints all = endpoints(options);
  EXPECT_EQ(all.handle(get("/ready")).status, 404);
  EXPECT_NE(all.handle(get("/ready")).body.find(R"("check":"drain","status":"fail","critical":true)"),
            std::string::npos);
  source.checks[0].answer = CheckAnswer::fail("x", "y");
  EXPECT_EQ(all.handle(get("/ready")).status, 503);
}

TEST_F(Probes, with_degraded_at_200_keep_a_fleet_in_service_that_shares_an_outage) {  // statement 20
  add("shared", CheckAnswer::fail("down", "refused"), false);
  EXPECT_EQ(endpoints().handle(get("/ready")).status, 200);
  EndpointsOptions strict;
  strict.routes[1].codes.degraded = 503;
  EXPECT_EQ(endpoints(strict).handle(get("/ready")).status, 503) << "only who asks for it gets it";
}

TEST_F(Probes, refuse_options_that_contradict_themselves_or_hide_a_failure) {
  const auto wrong = [&](auto change) {
    EndpointsOptions options;
    change(options);
    const auto made = Endpoints::make(std::move(options), shop, source, world.sleeper());
    return made ? std::string("it was taken") : made.error().detail();
  };
  using Options = EndpointsOptions&;
  const std::vector<std::pair<std::string, std::string>> cases{
      {wrong([](Options o) { o.routes.clear(); }), "there is no route"},
      {wrong([](Options o) { o.routes.push_back(o.routes[1]); }), "/ready is there twice"},
      {wrong([](Options o) { o.routes[0].below = Below::check; }),
       "/health/deep hides what may be called so below /health"},
      {wrong([](Options o) { o.routes[1].path = "/ready/"; }), "'/ready/' is no path"},
      {wrong([](Options o) { o.routes[1].path = "/re%61dy"; }), "'/re%61dy' has a character"},
      {wrong([](Options o) { o.routes[1].codes.down = 200; }), "/ready: 200 for down would pass as healthy"},
      {wrong([](Options o) { o.routes[1].codes.unknown = 302; }), "/ready: 302 for unknown would pass as healthy"},
      {wrong([](Options o) { o.routes[1].codes.draining = 200; }), "/ready: 200 for draining would pass as healthy"},
      {wrong([](Options o) { o.routes[0].codes.down = 200; }), "/health: 200 for down would pass as healthy"},
      {wrong([](Options o) { o.routes[1].codes.up = 204; }), "/ready: 204 is no code for an answer with a body (up)"},
      {wrong([](Options o) { o.routes[1].codes.up = 503; }), "/ready: 503 for up is no success"},
      {wrong([](Options o) { o.routes[1].codes.down = 700; }), "/ready: 700 is no code"},
      {wrong([](Options o) { o.routes[1].kind = Kind::readiness | Kind::deep; }), "/ready: it has to ask one kind"},
      {wrong([](Options o) { o.routes[4].group = "x"; }), "the group is in the path"},
      {wrong([](Options o) { o.deadline = Duration::zero(); }), "the deadline has to be more than 0"},
      {wrong([](Options o) { o.prepared_for = 11s; }), "prepared_for is 0 to 10 s"}};
  for (const auto& [said, expected] : cases) EXPECT_NE(said.find(expected), std::string::npos) << said;
  EXPECT_EQ(wrong([](Options o) {
              o.routes[1].codes.down = 200;
              o.may_hide_failures = true;
            }),
            "it was taken");
  EXPECT_FALSE(Endpoints::make({}, {}, source, world.sleeper())) << "a service without a name";
}

TEST_F(Probes, that_ask_checks_answer_once_and_in_full_in_every_case) {
  add("db", CheckAnswer::pass());
  const Endpoints all = endpoints();
  std::vector<HttpResponse> answers;
  const auto respond = [&](HttpResponse response) { answers.push_back(std::move(response)); };
  EXPECT_FALSE(all.handle_later(get("/ready"), respond)) << "from memory";
  EXPECT_FALSE(all.handle_later(get("/nowhere"), respond));
  ASSERT_TRUE(all.handle_later(get("/health/deep"), respond));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].body, all.handle(get("/health/deep")).body);
  EXPECT_EQ(source.asked_until, Deadline::after(world.now(), 5s));

  FakeHealth::Done kept;
  source.on_ask = [&](const health::Selection&, FakeHealth::Done done) { kept = std::move(done); };
  ASSERT_TRUE(all.handle_later(get("/health/deep"), respond));
  EXPECT_EQ(answers.size(), 1u) << "later";
  kept(source.select({}));
  kept(source.select({}));
  EXPECT_EQ(answers.size(), 2u) << "a second answer is not one";

  ASSERT_TRUE(all.handle_later(get("/health/deep"), respond));
  kept = nullptr;
  ASSERT_EQ(answers.size(), 3u) << "who forgets to answer has answered";
  EXPECT_EQ(answers[2].status, 500);
  EXPECT_EQ(boost::json::parse(answers[2].body).at("checks_failed"), 1);

  source.on_ask = [](const health::Selection&, const FakeHealth::Done&) { throw std::runtime_error("lost"); };
  ASSERT_TRUE(all.handle_later(get("/health/deep"), respond));
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(answers[3].status, 500);

  source.on_ask = [](const health::Selection&, const FakeHealth::Done& done) { done(std::nullopt); };
  ASSERT_TRUE(all.handle_later(get("/health/group/none"), respond));
  EXPECT_EQ(answers.at(4).status, 404);
  HttpRequest post = get("/health/deep");
  post.method = "POST";
  ASSERT_TRUE(all.handle_later(post, respond));
  EXPECT_EQ(answers.at(5).status, 405);
}

TEST_F(Probes, whose_answer_comes_after_the_endpoints_are_gone_still_answer) {
  add("db", CheckAnswer::pass());
  FakeHealth::Done kept;
  source.on_ask = [&](const health::Selection&, FakeHealth::Done done) { kept = std::move(done); };
  std::optional<HttpResponse> answer;
  {
    const Endpoints all = endpoints();
    ASSERT_TRUE(all.handle_later(get("/health/deep"), [&](HttpResponse response) { answer = std::move(response); }));
  }
  kept(source.select({}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
}

TEST_F(Probes, from_memory_run_no_check) {  // statement 21, and 3: who asks often costs nobody anything
  add("db", CheckAnswer::pass());
  const Endpoints all = endpoints();
  for (int i = 0; i < 100; ++i)
    for (const std::string path : {"/health", "/ready", "/startup", "/health/deep", "/ready/db"}) {
      static_cast<void>(all.handle(get(path)));
      static_cast<void>(all.prepared({.method = "GET", .target = path}));
    }
  EXPECT_EQ(source.asks, 0);
}

TEST_F(Probes, say_the_same_bytes_until_something_changes) {  // statement 17
  add("db", CheckAnswer::pass({{"rows", 7}}));
  const Endpoints all = guarded();
  std::map<std::string, std::string> first;
  for (int i = 0; i < 10; ++i) {
    for (const std::string path : {"/health", "/ready", "/startup", "/health/deep"})
      for (const std::string accept : {"application/json", "text/plain", "application/health+json",
                                       "application/vnd.spring-boot.actuator.v3+json"}) {
        HttpRequest request = with_key(path);
        request.headers.set("Accept", accept);
        const std::string body = all.handle(request).body;
        EXPECT_EQ(first.try_emplace(path + accept, body).first->second, body);
      }
    world.advance(10s);
    for (health::CheckReport& check : source.checks) check.age += 10s;
  }
}

}  // namespace
}  // namespace serin::endpoints
