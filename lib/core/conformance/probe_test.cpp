// Goal: what a probe says is what the answer means, in every dialect, and no answer is never healthy. Method: answers
// by hand.
#include "serin/conformance/probe.hpp"

#include <gtest/gtest.h>

#include "serin/sim/world.hpp"

namespace serin::conformance {
namespace {

using health::HealthStatus;

TEST(StatusOfAnswer, reads_every_dialect_and_takes_the_worse_of_code_and_body) {
  struct Case {
    int code;
    std::string_view body;
    HealthStatus status;
    std::string_view said;
  };
  const Case cases[] = {
      {200, R"({"status":"healthy"})", HealthStatus::up, ""},
      {200, R"({"status":"UP","checks":[{"name":"db","status":"UP"}]})", HealthStatus::up, ""},
      {200, "ok\n", HealthStatus::up, ""},
      {200, "Healthy", HealthStatus::up, ""},
      {204, "", HealthStatus::up, ""},
      {200, "<html>welcome</html>", HealthStatus::up, ""},
      {200, R"({"status":"degraded","checks":[{"check":"data","status":"warn"},{"check":"a","status":"skip"}]})",
       HealthStatus::degraded, "data warn"},
      {200, R"({"status":"unhealthy"})", HealthStatus::down, "says down"},
      {200, "Unhealthy", HealthStatus::down, "says down"},
      {200, R"({"status":"UNKNOWN"})", HealthStatus::unknown, "says unknown"},
      {503, R"({"status":"healthy"})", HealthStatus::down, "answered 503"},
      {503, R"({"status":"DOWN","checks":[{"name":"db","status":"DOWN"}]})", HealthStatus::down,
       "answered 503: db down"},
      {500, "", HealthStatus::down, "answered 500"},
      {404, "", HealthStatus::unknown, "answered 404: there is no such path"},
      {401, "", HealthStatus::unknown, "answered 401: it does not know who asks"},
      {302, "", HealthStatus::unknown, "answered 302"},
  };
  for (const Case& each : cases) {
    std::string said;
    EXPECT_EQ(status_of_answer({.status = each.code, .headers = {}, .body = std::string(each.body)}, said), each.status)
        << each.code << " " << each.body;
    EXPECT_EQ(said, each.said) << each.code << " " << each.body;
  }
}

struct Answers final : HttpClient {
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view, HttpRequest request, Deadline, std::stop_token) override {
    const auto found = by_path.find(request.target);
    if (found == by_path.end()) return fail(Errc::unavailable, "connect: refused");
    return HttpResponse::json(200, found->second);
  }
  std::map<std::string, std::string> by_path;
};

TEST(ProbeHealth, that_is_not_answered_is_unknown_and_another_identity_is_down) {
  sim::World world;
  Answers http;
  const Deadline soon = Deadline::after(world.now(), 1s);
  ProbeTarget target{.origin = "http://a:1", .expected = {{"service", "shop"}, {"commit", "abc"}}};
  EXPECT_EQ(probe_health(http, world.sleeper(), target, soon).status, HealthStatus::unknown);
  http.by_path["/ready"] = R"({"status":"healthy"})";
  EXPECT_EQ(probe_health(http, world.sleeper(), target, soon).status, HealthStatus::unknown)
      << "who it is is not known";
  http.by_path["/health"] = R"({"service":"shop","commit":"def"})";
  const Probed stale = probe_health(http, world.sleeper(), target, soon);
  EXPECT_EQ(stale.status, HealthStatus::down);
  EXPECT_EQ(stale.said, "commit is 'def', not 'abc'");
  http.by_path["/health"] = R"({"service":"shop"})";
  EXPECT_EQ(probe_health(http, world.sleeper(), target, soon).said, "/health does not say its commit");
  http.by_path["/health"] = R"({"service":"shop","commit":"abc"})";
  EXPECT_EQ(probe_health(http, world.sleeper(), target, soon).status, HealthStatus::up);
}

}  // namespace
}  // namespace serin::conformance
