// Goal: a service that keeps the contract breaks no rule, and each way of breaking it is named. Method: a service by
// hand whose answers are changed one at a time, on fake time.
#include "serin/conformance/conformance.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "serin/sim/world.hpp"

namespace serin::conformance {
namespace {

constexpr std::string_view identity =
    R"({"status":"healthy","service":"shop","version":"1","revision":"v1","commit":"abc","environment":"test"})";
constexpr std::string_view deep =
    R"({"status":"degraded","service":"shop","checks":[
      {"check":"db","status":"pass","critical":true,"duration_ms":1.5,"details":{},"error":null,"reason":null},
      {"check":"data","status":"warn","critical":false,"duration_ms":0,"details":{},"error":"withheld","reason":null}],
      "total_duration_ms":1.5,"checks_run":2,"checks_passed":1,"checks_warned":1,"checks_failed":0,"checks_skipped":0})";

HttpResponse uncached(int status, std::string_view body) {
  HttpResponse response = HttpResponse::json(status, std::string(body));
  response.headers.set("Cache-Control", "no-store, no-cache");
  return response;
}

/// Keeps the contract, but for what a test changes.
struct Shop final : HttpClient {
  explicit Shop(sim::World& owner) : world(owner) {}
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view, HttpRequest request, Deadline deadline, std::stop_token) override {
    ++requests;
    std::string line = request.method + " " + request.target;
    if (answers.contains(line + " key") && request.headers.find("Authorization")) line += " key";
    if (const auto slow = takes.find(line); slow != takes.end()) {
      const Instant answered = world.now() + slow->second;
      world.advance(std::min(answered, deadline.at()) - world.now());
      if (answered > deadline.at()) return fail(Errc::deadline_exceeded, "no answer before the deadline");
    }
    if (const auto found = answers.find(line); found != answers.end()) return found->second;
    return usual(request);
  }
  HttpResponse usual(const HttpRequest& request) const {
    const std::string_view path = request.path();
    const bool own = path == "/health" || path == "/ready" || path == "/health/deep" || path == "/startup";
    if (path == "/metrics") {
      HttpResponse metrics = HttpResponse::text(200, "# TYPE up gauge\nup 1\n");
      return metrics;
    }
    if (!own) return HttpResponse::json(404, R"({"error":"there is no such path"})");
    if (request.method != "GET" && request.method != "HEAD") {
      HttpResponse wrong = HttpResponse::json(405, "{}");
      wrong.headers.set("Allow", "GET, HEAD");
      return wrong;
    }
    if (request.method == "HEAD") return uncached(200, "");
    return uncached(200, path == "/health" || path == "/startup" ? identity : deep);
  }
  sim::World& world;
  std::map<std::string, HttpResponse> answers;
  std::map<std::string, Duration> takes;
  int requests = 0;
};

struct Contract : testing::Test {
  std::vector<Finding> ask(ConformanceOptions options = {}) {
    return check_contract(shop, world.sleeper(), "http://shop:1", options, Deadline::after(world.now(), 1min));
  }
  std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
    std::string out(text);
    const std::size_t at = out.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return out.replace(at, what.size(), with);
  }
  sim::World world;
  Shop shop{world};
};

TEST_F(Contract, that_is_kept_breaks_no_rule) {
  const std::vector<Finding> findings = ask({.service = "shop"});
  EXPECT_EQ(broken(findings), "");
  EXPECT_GT(findings.size(), 30u);
  EXPECT_LT(shop.requests, 25) << "cheap enough to be asked of every candidate";
}

TEST_F(Contract, that_is_broken_is_named_rule_by_rule) {
  struct Case {
    std::string line;
    HttpResponse answer;
    std::string named;
  };
  const std::string deep_text(deep);
  const std::vector<Case> cases{
      {"GET /health", uncached(503, identity), "GET /health answers 200: answered 503"},
      {"GET /health", uncached(200, replaced(identity, "\"commit\"", "\"hash\"")), "the field 'commit' is missing"},
      {"GET /health", uncached(200, replaced(identity, "shop", "barn")), "service is 'barn', not 'shop'"},
      {"GET /health", uncached(200, "ok"), "the body is no JSON object: 'ok'"},
      {"GET /health", HttpResponse::json(200, std::string(identity)), "/health is not to be cached"},
      {"GET /ready", uncached(503, deep), "answered 503 and says 'degraded'"},
      {"GET /ready", uncached(200, replaced(deep, "\"checks_run\":2", "\"checks_run\":3")),
       "checks_run is 3, but the list has 2"},
      {"GET /ready", uncached(200, replaced(deep, "\"duration_ms\":1.5", "\"duration_ms\":\"fast\"")),
       "check 'db': duration_ms"},
      {"GET /ready", uncached(200, replaced(deep, ",\"checks_skipped\":0", "")), "checks_skipped is missing"},
      {"GET /health/deep", uncached(200, replaced(deep, "\"status\":\"degraded\"", "\"status\":\"healthy\"")),
       "says 'healthy' while a check fails or warns"},
      {"GET /health/deep", uncached(200, replaced(deep, "withheld", "password=hunter2")),
       "check 'data' shows its error"},
      {"GET /health/deep", uncached(200, replaced(deep, "\"details\":{}", "\"details\":{\"host\":\"db1\"}")),
       "check 'db' shows its details"},
      {"GET /health/deep key", uncached(200, replaced(deep, "withheld", "db1 refused")),
       "a wrong key shows no more than none: check 'data' shows its error"},
      {"POST /ready", HttpResponse::json(200, "{}"), "POST /ready answers 405"},
      {"POST /health", HttpResponse::json(405, "{}"), "there is no Allow with GET"},
      {"HEAD /health", uncached(200, identity), "HEAD /health is GET without a body: it has a body"},
      {"GET /health/", uncached(200, identity), "GET /health/ answers 404: answered 200"},
      {"GET /metrics", HttpResponse::json(200, "{}"), "/metrics is Prometheus' text format"},
      {"GET /startup", HttpResponse::json(404, "{}"), "GET /startup answers 200 or 503"},
  };
  for (const Case& each : cases) {
    shop.answers = {{each.line, each.answer}};
    const std::string said = broken(ask({.service = "shop"}));
    EXPECT_NE(said.find(each.named), std::string::npos)
        << each.line << "\n  wanted: " << each.named << "\n  said: " << said;
  }
}

TEST_F(Contract, bounds_every_answer_whatever_hangs) {
  shop.takes = {{"GET /ready", 1500ms}};
  EXPECT_EQ(broken(ask()), "GET /ready is answered within 1s: it took 1.5s");
  shop.takes = {{"GET /health/deep", 1h}};
  EXPECT_NE(broken(ask()).find("GET /health/deep is answered within 1s: deadline_exceeded"), std::string::npos);
}

TEST_F(Contract, says_that_a_dependency_hangs) {
  const ConformanceOptions hanging{.dependency_hangs = true};
  EXPECT_NE(broken(ask(hanging)).find("GET /ready with a dependency that hangs answers 503: answered 200"),
            std::string::npos);
  const std::string body =
      replaced(replaced(replaced(replaced(deep, "\"status\":\"degraded\"", "\"status\":\"unhealthy\""),
                                 "\"status\":\"pass\"", "\"status\":\"fail\""),
                        "\"checks_passed\":1", "\"checks_passed\":0"),
               "\"checks_failed\":0", "\"checks_failed\":1");
  shop.answers = {{"GET /ready", uncached(503, body)}, {"GET /health/deep", uncached(503, body)}};
  EXPECT_EQ(broken(ask(hanging)), "");
}

TEST_F(Contract, of_somebody_who_is_not_there_is_one_broken_rule_and_no_kept_one) {
  shop.takes = {{"GET /health", 1h}};
  const std::vector<Finding> findings = ask();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_FALSE(findings[0].kept);
}

TEST(ClaimsContract, by_its_fields) {
  EXPECT_TRUE(claims_contract(identity));
  EXPECT_FALSE(claims_contract("ok"));
  EXPECT_FALSE(claims_contract(R"({"status":"healthy","service":"shop"})"));
}

}  // namespace
}  // namespace serin::conformance
