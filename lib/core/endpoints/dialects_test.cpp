// Goal: each dialect says exactly what those who read it expect. Method: one report by hand, written in each; the
// expected texts are those of the specifications and of the programs that are named.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "fake_health.hpp"
#include "serin/endpoints/endpoints.hpp"
#include "serin/endpoints/probers.hpp"
#include "serin/sim/world.hpp"

namespace serin::endpoints {
namespace {

using health::CheckAnswer;
using health::CheckReport;
using health::HealthReport;
using health::HealthStatus;
using health::Kind;

constexpr Kind all_kinds = Kind::liveness | Kind::readiness | Kind::startup | Kind::deep;

struct Dialects : testing::Test {
  /// The answer of `target` when every route speaks `dialect` and nothing else.
  HttpResponse say(Dialect dialect, std::string target, Disclosure level = Disclosure::details) {
    EndpointsOptions options;
    for (Route& route : options.routes) {
      route.dialect = dialect;
      route.by_accept = false;
    }
    options.anonymous = level;
    options.principals = level;
    options.about = about;
    options.authenticator = {.who = [](const HttpRequest&) { return Principal{.name = "me"}; }};
    if (level < Disclosure::details) options.authenticator = {};
    return Endpoints::make(options, {.service = "shop", .version = "1.2.2"}, source, world.sleeper())
        .value()
        .handle({.target = std::move(target)});
  }
  CheckReport& add(std::string name, CheckAnswer answer) {
    return source.checks.emplace_back(CheckReport{.name = std::move(name),
                                                  .kinds = all_kinds,
                                                  .duration = 250ms,
                                                  .checked_at = parse_rfc3339("2018-01-17T03:36:48Z").value(),
                                                  .answer = std::move(answer)});
  }
  sim::World world;
  FakeHealth source;
  std::string about;
};

TEST_F(Dialects, microprofile_is_a_list_with_data) {
  add("firstCheck", CheckAnswer::fail("x", "refused by db1", {{"region", "eu"}}));
  add("secondCheck", CheckAnswer::pass());
  const HttpResponse answer = say(Dialect::microprofile, "/ready");
  EXPECT_EQ(answer.body, R"({"status":"DOWN","checks":[{"name":"firstCheck","status":"DOWN","data":{"region":"eu"}},)"
                         R"({"name":"secondCheck","status":"UP"}]})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.find("Content-Type"), "application/json");
  source.checks.clear();
  EXPECT_EQ(say(Dialect::microprofile, "/ready").body, R"({"status":"UP","checks":[]})");
}

TEST_F(Dialects, actuator_is_a_tree_of_components_and_the_groups) {
  source.group_names = {"liveness", "readiness"};
  add("db1", CheckAnswer::pass());
  add("db2", {.status = HealthStatus::down, .details = {{"a", "b"}}});
  const HttpResponse answer = say(Dialect::actuator, "/health/deep");
  EXPECT_EQ(answer.body,
            R"({"status":"DOWN","components":{"db1":{"status":"UP"},"db2":{"status":"DOWN","details":{"a":"b"}}},)"
            R"("groups":["liveness","readiness"]})");
  EXPECT_EQ(answer.headers.find("Content-Type"), "application/vnd.spring-boot.actuator.v3+json");
  source.checks.clear();
  add("a/b", {.status = HealthStatus::out_of_service});
  add("a/c", CheckAnswer::pass());
  add("d", CheckAnswer::fail("x", "refused"));
  source.checks.back().critical = false;
  EXPECT_EQ(say(Dialect::actuator, "/ready").body,
            R"({"status":"OUT_OF_SERVICE","components":{"a":{"status":"OUT_OF_SERVICE","components":{)"
            R"("b":{"status":"OUT_OF_SERVICE"},"c":{"status":"UP"}}},)"
            R"("d":{"status":"DOWN","details":{"error":"refused"}}}})");
  EXPECT_EQ(say(Dialect::actuator, "/ready", Disclosure::status).body, R"({"status":"OUT_OF_SERVICE"})");
  source.checks.clear();
  add("x", CheckAnswer::unknown("not_run_yet", ""));
  EXPECT_EQ(say(Dialect::actuator, "/ready").body, R"({"status":"UNKNOWN","components":{"x":{"status":"UNKNOWN"}}})");
  EXPECT_EQ(say(Dialect::actuator, "/ready").status, 503) << "Spring's 200 is not followed: unknown is never healthy";
}

TEST_F(Dialects, health_json_has_times_only_when_asked_and_output_only_when_it_does_not_pass) {
  add("cassandra", CheckAnswer::pass()).component_type = "datastore";
  add("disk", CheckAnswer::warn("full", "91 % used"));
  about = "https://example.org/health";
  const HttpResponse answer = say(Dialect::health_json, "/health/deep?verbose");
  EXPECT_EQ(
      answer.body,
      R"({"status":"warn","version":"1","releaseId":"1.2.2","serviceId":"shop","checks":{)"
      R"("cassandra:responseTime":[{"componentId":"cassandra","componentType":"datastore","observedValue":250,)"
      R"("observedUnit":"ms","status":"pass","time":"2018-01-17T03:36:48.000Z"}],)"
      R"("disk:responseTime":[{"componentId":"disk","observedValue":250,"observedUnit":"ms","status":"warn",)"
      R"("time":"2018-01-17T03:36:48.000Z","output":"91 % used"}]},"links":{"about":"https://example.org/health"}})");
  EXPECT_EQ(answer.status, 200) << "warn has to be 2xx or 3xx";
  EXPECT_EQ(answer.headers.find("Content-Type"), "application/health+json");
  source.checks.pop_back();
  about.clear();
  EXPECT_EQ(say(Dialect::health_json, "/health/deep").body,
            R"({"status":"pass","version":"1","releaseId":"1.2.2","serviceId":"shop","checks":{)"
            R"("cassandra:responseTime":[{"componentId":"cassandra","componentType":"datastore","status":"pass"}]}})");
  EXPECT_EQ(say(Dialect::health_json, "/health/deep", Disclosure::status).body, R"({"status":"pass"})");
}

TEST_F(Dialects, kubernetes_is_ok_or_a_line_a_check) {
  add("ping", CheckAnswer::pass());
  EXPECT_EQ(say(Dialect::kubernetes, "/health").body, "ok");
  EXPECT_EQ(say(Dialect::kubernetes, "/ready?verbose").body, "[+]ping ok\nreadyz check passed\n");
  add("bad", CheckAnswer::fail("x", "db1 refused\n[+]forged ok"));
  const HttpResponse answer = say(Dialect::kubernetes, "/health", Disclosure::components);
  EXPECT_EQ(answer.body, "[+]ping ok\n[-]bad failed: reason withheld\nlivez check failed\n");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.headers.find("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(say(Dialect::kubernetes, "/health").body,
            "[+]ping ok\n[-]bad failed: db1 refused [+]forged ok\nlivez check failed\n");
  EXPECT_EQ(say(Dialect::kubernetes, "/health", Disclosure::status).body, "livez check failed\n");
  EXPECT_EQ(say(Dialect::kubernetes, "/health?exclude=bad").body, "ok");
  EXPECT_EQ(say(Dialect::kubernetes, "/health?verbose&exclude=bad").body,
            "[+]ping ok\n[+]bad excluded: ok\nlivez check passed\n");
  source.checks.back().groups = {"g"};
  EXPECT_EQ(say(Dialect::kubernetes, "/ready?verbose=1&exclude=g&exclude=x&exclude=y").body,
            "[+]ping ok\n[+]bad excluded with g: ok\n"
            "warn: some health checks cannot be excluded: no matches for \"x\",\"y\"\nreadyz check passed\n");
  source.draining = true;
  EXPECT_EQ(say(Dialect::kubernetes, "/ready?exclude=bad").body,
            "[+]ping ok\n[-]drain failed: the process is ending\n[+]bad excluded: ok\nreadyz check failed\n");
}

TEST_F(Dialects, aspnet_is_one_word_or_what_its_interface_reads) {
  for (const auto& [status, word] :
       {std::pair(HealthStatus::up, "Healthy"), std::pair(HealthStatus::degraded, "Degraded"),
        std::pair(HealthStatus::unknown, "Unhealthy"), std::pair(HealthStatus::down, "Unhealthy")}) {
    source.checks.clear();
    add("x", {.status = status});
    EXPECT_EQ(say(Dialect::aspnet_word, "/ready").body, word);
  }
  source.checks.clear();
  CheckReport& redis = add("redis", CheckAnswer::warn("slow", "slow"));
  redis.groups = {"cache"};
  redis.duration = 52100us;
  EXPECT_EQ(say(Dialect::aspnet_ui, "/ready").body,
            R"({"status":"Degraded","totalDuration":"00:00:00.0521000","entries":{"redis":{"data":{},)"
            R"("description":"slow","duration":"00:00:00.0521000","status":"Degraded","tags":["cache"]}}})");
  redis.duration = 26h + 3min + 4s;
  EXPECT_NE(say(Dialect::aspnet_ui, "/ready").body.find(R"("totalDuration":"1.02:03:04")"), std::string::npos);
}

TEST_F(Dialects, prometheus_has_a_gauge_a_state_and_is_200_whatever_it_says) {
  add("db", CheckAnswer::fail("x", "refused")).critical = false;
  const HttpResponse answer = say(Dialect::prometheus, "/ready");
  EXPECT_EQ(answer.status, 200);
  for (const std::string_view line :
       {"health_state{state=\"degraded\"} 1\n", "health_state{state=\"up\"} 0\n", "health_draining 0\n",
        "health_check_status{check=\"db\",kind=\"liveness,readiness,startup,deep\",critical=\"false\"} 0\n",
        "health_check_state{check=\"db\",state=\"down\"} 1\n", "health_check_state{check=\"db\",state=\"up\"} 0\n",
        "health_check_last_run_timestamp_seconds{check=\"db\"} 1516160208.000\n", "# TYPE health_check_state gauge\n"})
    EXPECT_NE(answer.body.find(line), std::string::npos) << line << "\n" << answer.body;
  source.checks[0] = {.name = "x", .kinds = all_kinds, .answer = CheckAnswer::unknown("not_run_yet", "")};
  EXPECT_NE(say(Dialect::prometheus, "/health").body.find("health_state{state=\"unknown\"} 1\n"), std::string::npos)
      << "alive, but nobody knows";
}

TEST_F(Dialects, liveness_of_which_nothing_is_known_is_alive_in_all_of_them) {
  add("x", CheckAnswer::unknown("not_run_yet", ""));
  for (const auto& [dialect, text] :
       {std::pair(Dialect::native, R"({"status":"healthy"})"), std::pair(Dialect::kubernetes, "ok"),
        std::pair(Dialect::microprofile, R"({"status":"UP","checks":[]})"),
        std::pair(Dialect::actuator, R"({"status":"UP"})"), std::pair(Dialect::health_json, R"({"status":"pass"})"),
        std::pair(Dialect::aspnet_word, "Healthy")}) {
    const HttpResponse answer = say(dialect, "/health", Disclosure::status);
    EXPECT_EQ(answer.body, text);
    EXPECT_EQ(answer.status, 200);
  }
}

TEST_F(Dialects, the_line_of_the_agent_is_one_that_haproxy_understands) {
  HealthReport report{.status = HealthStatus::up, .kind = Kind::readiness};
  EXPECT_EQ(agent_line(report), "ready up 100%\n");
  report.status = HealthStatus::degraded;
  EXPECT_EQ(agent_line(report), "ready up 100%\n") << "a shared outage must not shift the load";
  EXPECT_EQ(agent_line(report, {.degraded_percent = 50}), "ready up 50%\n");
  EXPECT_EQ(agent_line(report, {.degraded_percent = 0}), "ready up 1%\n");
  report.draining = true;
  EXPECT_EQ(agent_line(report), "drain\n");
  report.checks.push_back({.name = "db\nready up", .answer = CheckAnswer::fail("x", "password=hunter2")});
  EXPECT_EQ(agent_line(report), "down #db ready up down\n") << "one line, and no text of the check";
  report = {.status = HealthStatus::unknown, .kind = Kind::readiness};
  EXPECT_EQ(agent_line(report), "down #service unknown\n");
}

TEST_F(Dialects, the_headers_of_envoy_say_degraded_draining_and_who_it_is) {
  const auto names = [](const HttpHeaders& headers) {
    std::string out;
    for (const auto& [name, value] : headers) out += name + "=" + value + ";";
    return out;
  };
  const health::Identity shop{.service = "shop"};
  HealthReport report{.status = HealthStatus::up};
  EXPECT_EQ(names(envoy_headers(report, shop)), "x-envoy-upstream-healthchecked-cluster=shop;");
  report.status = HealthStatus::degraded;
  report.draining = true;
  EXPECT_EQ(
      names(envoy_headers(report, shop)),
      "x-envoy-immediate-health-check-fail=true;x-envoy-degraded=true;x-envoy-upstream-healthchecked-cluster=shop;");
  EndpointsOptions options;
  options.envoy_headers = true;
  source.checks.push_back({.name = "x", .critical = false, .answer = CheckAnswer::fail("x", "y")});
  const auto all = Endpoints::make(options, shop, source, world.sleeper()).value();
  EXPECT_EQ(all.handle({.target = "/ready"}).headers.find("x-envoy-degraded"), "true");
  EXPECT_FALSE(all.handle({.target = "/health"}).headers.find("x-envoy-degraded"));
}

}  // namespace
}  // namespace serin::endpoints
