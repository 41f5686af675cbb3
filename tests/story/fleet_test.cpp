// Goal: the fleet does its work, every service keeps the health contract, and drills end as they must. Method: the
// reference fleet as `serin up` starts it, asked with HTTP and through its programs.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>
#include <set>

#include "fleet_under_test.hpp"

namespace serin::story {
namespace {

namespace json = boost::json;

/// GET with curl: status and body.
struct Answer {
  int status = 0;
  std::string body;
};
Answer get(const std::string& url, std::vector<std::string> more = {}) {
  std::vector<std::string> argv{"curl", "-s", "-m", "10", "-w", "\n%{http_code}", url};
  argv.insert(argv.end(), more.begin(), more.end());
  const Outcome outcome = run(argv, 15s);
  const std::size_t cut = outcome.out.rfind('\n');
  if (outcome.code != 0 || cut == std::string::npos) return {.status = -1, .body = outcome.text()};
  return {.status = std::stoi(outcome.out.substr(cut + 1)), .body = outcome.out.substr(0, cut)};
}

class FleetAtWork : public testing::Test {
 protected:
  void SetUp() override {
    const Outcome up = fleet.serin({"up"});
    ASSERT_EQ(up.code, 0) << up.text();
    const Outcome status = fleet.serin({"status", "--json"});
    for (const json::value& service : json::parse(status.out).at("services").as_array())
      urls[std::string(service.at("name").as_string())] = std::string(service.at("url").as_string());
  }
  void TearDown() override { EXPECT_EQ(fleet.serin({"down"}).code, 0); }
  Outcome fleet_program(std::vector<std::string> words) const {
    words.insert(words.begin(), bin() + "/serin-fleet");
    words.insert(words.end(), {"--warehouse", "sqlite:" + fleet.state() + "/warehouse.db", "--json"});
    return run(words, 120s);
  }
  Outcome pipeline() const {
    std::vector<std::string> words{"pipeline"};
    for (const auto& [name, url] : urls) words.insert(words.end(), {"--url", name + "=" + url});
    return fleet_program(words);
  }
  Fleet fleet;
  std::map<std::string, std::string> urls;
};

TEST_F(FleetAtWork, every_service_keeps_the_health_contract) {
  for (const auto& [name, url] : urls) {
    const Answer health = get(url + "/health");
    ASSERT_EQ(health.status, 200) << name << health.body;
    const json::object who = json::parse(health.body).as_object();
    EXPECT_EQ(text_of(who.at("service")), name);
    for (const char* field : {"status", "version", "revision", "commit", "environment"})
      EXPECT_FALSE(who.at(field).as_string().empty()) << name << " " << field;
    for (const char* path : {"/ready", "/health/deep"}) {
      const Answer answer = get(url + path);
      EXPECT_EQ(answer.status, 200) << name << path << answer.body;
      const json::object body = json::parse(answer.body).as_object();
      std::map<std::string, std::int64_t> counted;
      for (const json::value& check : body.at("checks").as_array()) {
        ++counted[std::string(check.at("status").as_string())];
        EXPECT_TRUE(check.at("duration_ms").is_number() && check.at("critical").is_bool()) << json::serialize(check);
      }
      EXPECT_EQ(counted["pass"], body.at("checks_passed").as_int64()) << answer.body;
      EXPECT_EQ(counted["fail"], body.at("checks_failed").as_int64()) << answer.body;
      EXPECT_EQ(counted["pass"] + counted["warn"] + counted["fail"], body.at("checks_run").as_int64()) << answer.body;
    }
    EXPECT_NE(get(url + "/metrics").body.find("# TYPE http_requests_in_flight gauge"), std::string::npos) << name;
    EXPECT_EQ(get(url + "/nowhere").status, 404);
  }
}

TEST_F(FleetAtWork, keeps_every_rule_of_the_contract_and_is_found_healthy_from_a_shell) {
  const Outcome rules = fleet.serin({"conformance", "fleet"});
  EXPECT_EQ(rules.code, 0) << rules.text();
  for (const auto& [name, url] : urls) EXPECT_NE(rules.out.find(name), std::string::npos) << rules.text();
  std::vector<std::string> argv{bin() + "/serin", "health"};
  for (const auto& [name, url] : urls) argv.push_back(url);
  const Outcome healthy = run(argv, 30s);
  EXPECT_EQ(healthy.code, 0) << healthy.text();
  const Outcome expected = run({bin() + "/serin", "health", urls["mlb-worker"], "--expect", "service=mlb-worker",
                                "--expect", "commit=0a1b2c3", "--json"},
                               30s);
  EXPECT_EQ(expected.code, 0) << expected.text();
  const Outcome stale = run({bin() + "/serin", "health", urls["mlb-worker"], "--expect", "commit=1234567"}, 30s);
  EXPECT_EQ(stale.code, 1) << stale.text();
  EXPECT_NE(stale.out.find("commit is '0a1b2c3', not '1234567'"), std::string::npos) << stale.text();
  EXPECT_EQ(run({bin() + "/serin", "health", "-q", "http://127.0.0.1:1"}, 30s).code, 3) << "nobody is not healthy";
  EXPECT_EQ(run({bin() + "/serin", "health", "nonsense"}, 30s).code, 2);
  const Outcome foreign = run({bin() + "/serin", "conformance", urls["mlb-worker"], "--service", "shop"}, 30s);
  EXPECT_EQ(foreign.code, 1) << foreign.text();
  EXPECT_NE(foreign.out.find("service is 'mlb-worker', not 'shop'"), std::string::npos) << foreign.text();
}

TEST_F(FleetAtWork, passes_its_smoke_tests_and_what_is_broken_says_what_was_expected) {
  const std::string suite = source() + "/fleet/smoke.yaml";
  const std::string junit = fleet.state() + "/smoke.xml";
  ::setenv("ADMIN_KEY", "local-admin-key", 1);
  const Outcome all = fleet.serin({"smoke", "run", suite, "--env", "fleet", "--json", "--junit", junit});
  ::unsetenv("ADMIN_KEY");
  ASSERT_EQ(all.code, 0) << all.text();
  const json::object report = json::parse(all.out).as_object();
  EXPECT_EQ(report.at("tests").as_array().size(), 24u);
  EXPECT_LT(report.at("seconds").to_number<double>(), 3.0) << "six services, four tests each";
  EXPECT_NE(read_all(junit).find(R"(tests="24" failures="0" errors="0")"), std::string::npos) << read_all(junit);
  const Outcome keyless = fleet.serin({"smoke", "run", suite, "--env", "fleet", "--service", "admin-dashboard"});
  EXPECT_EQ(keyless.code, 3) << "what needs a secret that is missing is unknown: " << keyless.text();

  const Folder folder;
  const std::string wrong = folder.write(
      "s.yaml", "tests:\n  - {name: mlb, service: mlb-worker, get: /health, expect: {json: {/service: nba}}}\n");
  const Outcome broken =
      run({bin() + "/serin", "smoke", "run", wrong, "--url", "mlb-worker=" + urls["mlb-worker"], "--github"});
  EXPECT_EQ(broken.code, 1) << broken.text();
  EXPECT_NE(broken.out.find("/service is mlb-worker, expected == nba"), std::string::npos) << broken.text();
  EXPECT_NE(broken.err.find("::error file="), std::string::npos) << broken.text();
  const Outcome full = run(
      {bin() + "/serin", "smoke", "run", wrong, "--url", "mlb-worker=" + urls["mlb-worker"], "--html", "/dev/full"});
  EXPECT_EQ(full.code, 3) << full.text();
  EXPECT_NE(full.out.find("0 passed, 1 failed"), std::string::npos)
      << "what was found is told all the same: " << full.text();
  EXPECT_EQ(run({bin() + "/serin", "smoke", "run", wrong, "--service", "none"}).code, 2) << "no test is no pass";
  EXPECT_EQ(run({bin() + "/serin", "smoke", "run", wrong}).code, 3) << "nobody said where the service is";
  EXPECT_EQ(run({bin() + "/serin", "smoke", "run", wrong, "--url", "mlb-worker=http://127.0.0.1:1"}).code, 1);
}

TEST_F(FleetAtWork, speaks_the_dialects_of_those_who_ask) {
  const std::string url = urls["prediction-worker"];
  EXPECT_EQ(get(url + "/startup").status, 200);
  EXPECT_EQ(get(url + "/ready/warehouse").status, 200);
  EXPECT_EQ(get(url + "/ready/nonsense").status, 404);
  const Answer actuator = get(url + "/health/deep", {"-H", "Accept: application/vnd.spring-boot.actuator.v3+json"});
  EXPECT_NE(actuator.body.find("\"status\":\"UP\""), std::string::npos) << actuator.body;
  const Answer draft = get(url + "/health/deep", {"-H", "Accept: application/health+json"});
  EXPECT_NE(draft.body.find("\"status\":\""), std::string::npos) << draft.body;
}

TEST_F(FleetAtWork, a_season_is_loaded_and_a_date_predicted_and_graded_twice_over) {
  const Outcome loaded = fleet_program({"load"});
  ASSERT_EQ(loaded.code, 0) << loaded.text();
  for (const char* run : {"the first", "the second"}) {
    const Outcome outcome = pipeline();
    ASSERT_EQ(outcome.code, 0) << run << outcome.text();
    const json::object report = json::parse(outcome.out).as_object();
    EXPECT_EQ(text_of(report.at("coverage")), "pass") << outcome.out;
    EXPECT_GT(report.at("eligible").as_int64(), 20);
    EXPECT_EQ(report.at("eligible"), report.at("predictions")) << outcome.out;
    EXPECT_GT(report.at("graded").as_int64(), 0);
  }
  const std::string key = "Authorization: Bearer local-admin-key";
  EXPECT_EQ(get(urls["admin-dashboard"] + "/api/status").status, 401);
  const Answer status = get(urls["admin-dashboard"] + "/api/status", {"-H", key});
  EXPECT_EQ(status.status, 200);
  EXPECT_NE(status.body.find("\"state\":\"closed\""), std::string::npos) << status.body;
  // The data checks ran when the dashboard started, at the latest.
  EXPECT_EQ(get(urls["admin-dashboard"] + "/api/checks").status, 401);
  const Answer checks = get(urls["admin-dashboard"] + "/api/checks", {"-H", key});
  ASSERT_EQ(checks.status, 200) << checks.body;
  EXPECT_EQ(json::parse(checks.body).at("results").as_array().size(), 24u) << checks.body;
  EXPECT_NE(get(urls["admin-dashboard"] + "/metrics").body.find("check_outcome{check="), std::string::npos);
}

TEST_F(FleetAtWork, a_poisoned_message_ends_in_the_dead_letters_and_its_batch_closes_without_it) {
  ASSERT_EQ(fleet_program({"load"}).code, 0);
  ASSERT_EQ(pipeline().code, 0);
  // A worker that is asked for what is no request answers 4xx; it is not acknowledged.
  EXPECT_EQ(get(urls["prediction-worker"] + "/predict", {"-d", "not json"}).status, 400);
  EXPECT_EQ(get(urls["prediction-worker"] + "/predict", {"-d", R"({"player_id":"x"})"}).status, 400);
  EXPECT_EQ(get(urls["prediction-coordinator"] + "/complete", {"-d", "{}"}).status, 400);
  EXPECT_EQ(get(urls["prediction-coordinator"] + "/status?batch_id=none").status, 404);
  EXPECT_EQ(get(urls["prediction-coordinator"] + "/start", {"-d", R"({"game_date":"1999-01-01"})"}).status, 404);
}

/// What a program calls, by name.
json::object targets_of(const json::array& programs, std::string_view service) {
  json::object out;
  for (const json::value& program : programs)
    if (text_of(program.at("service")) == service)
      for (const json::value& target : program.at("targets").as_array()) out[text_of(target.at("name"))] = target;
  return out;
}

TEST_F(FleetAtWork, shows_what_every_program_calls_and_how_that_is) {
  const Outcome outcome = fleet.serin({"resilience", "list", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  const json::array programs = json::parse(outcome.out).at("programs").as_array();
  EXPECT_EQ(programs.size(), 8u) << outcome.out;
  EXPECT_EQ(text_of(programs.at(0).at("service")), "agent");
  for (const json::value& program : programs) {
    std::set<std::string> targets;
    for (const json::value& target : program.at("targets").as_array()) {
      targets.insert(text_of(target.at("name")));
      EXPECT_EQ(text_of(target.at("breaker")), "closed") << outcome.out;
    }
    const bool is_agent = text_of(program.at("service")) == "agent";
    for (const char* name : {"bus", is_agent ? "haproxy" : "warehouse"})
      EXPECT_TRUE(targets.contains(name)) << name << " of " << json::serialize(program);
  }
  // As fleet/resilience.yaml says: calls to other services have a rate, those to the warehouse none.
  const json::object coordinator = targets_of(programs, "prediction-coordinator");
  EXPECT_TRUE(coordinator.at("warehouse").at("rate_left").is_null()) << json::serialize(coordinator);
  for (const auto& [name, target] : coordinator)
    if (std::string_view(name).starts_with("http:"))
      EXPECT_TRUE(target.at("rate_left").is_number()) << name << " of " << json::serialize(coordinator);
  const std::string metrics = get(urls["prediction-worker"] + "/metrics").body;
  for (const char* series : {"resilience_breaker_state{target=\"warehouse\"} 0",
                             "resilience_budget_left{target=\"bus\"} 1", "resilience_attempts_total{"})
    EXPECT_NE(metrics.find(series), std::string::npos) << series << "\n" << metrics;
}

TEST_F(FleetAtWork, the_dashboard_limits_each_address) {
  int limited = 0;
  std::vector<std::string> argv{"curl", "-s", "-o", "/dev/null", "-w", "%{http_code} "};
  for (int i = 0; i < 130; ++i) argv.push_back(urls["admin-dashboard"] + "/");
  const Outcome outcome = run(argv, 30s);
  for (std::size_t at = outcome.out.find("429"); at != std::string::npos; at = outcome.out.find("429", at + 3))
    ++limited;
  EXPECT_GE(limited, 20) << outcome.out;
}

TEST(FleetThatHangs, says_so_in_time_and_whole) {
  // Every service has a critical check that never ends.
  const Folder folder;
  std::string text = read_all(source() + "/fleet/fleet.yaml");
  for (const auto& [what, with] : {std::pair<std::string, std::string>{"${here}", source() + "/fleet"},
                                   {"FLEET_DRILLS: \"on\"", "FLEET_FAULT: hang_ready"}})
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
      text.replace(at, what.size(), with);
  const std::string file = folder.write("fleet.yaml", text);
  const auto serin = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {bin() + "/serin", "--fleet", file, "--state", folder.path() + "/s"});
    return run(words, 60s);
  };
  EXPECT_EQ(serin({"up", "--timeout", "6s"}).code, 3) << "it cannot become ready";
  const Outcome rules = serin({"conformance", "fleet", "--dependency-hangs"});
  EXPECT_EQ(rules.code, 0) << rules.text();
  EXPECT_EQ(serin({"down"}).code, 0);
}

}  // namespace
}  // namespace serin::story
