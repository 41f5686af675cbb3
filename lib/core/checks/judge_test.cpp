// Goal: unknown is never healthy, a trend is told from noise, and zero spread is no trap. Method: pure functions at
// their limits.
#include "serin/checks/judge.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "serin/checks/health_view.hpp"
#include "serin/checks/report.hpp"

namespace serin::checks {
namespace {

constexpr std::int64_t day = 86400;
constexpr std::int64_t now_s = 20000 * day;

std::vector<HistoryPoint> past(std::initializer_list<double> metrics) {
  std::vector<HistoryPoint> points;
  auto at = now_s - static_cast<std::int64_t>(metrics.size()) * day;
  for (const double metric : metrics) {
    points.push_back({.at_s = at, .metric = metric});
    at += day;
  }
  return points;
}
Check anomaly() {
  Check check{.type = CheckType::anomaly, .measure = Measure::row_count};
  check.zones.fail = parse_zone("> 3.5").value();
  return check;
}

TEST(RobustZ, ignores_what_is_below_a_tenth_of_a_percent_and_caps_the_rest_without_spread) {
  EXPECT_EQ(robust_z(1001, {1000, 1000, 1000, 1000}), 0);
  EXPECT_EQ(robust_z(1001.1, {1000, 1000, 1000, 1000}), 1000);
  EXPECT_EQ(robust_z(0, {0, 0, 0, 0}), 0);
  EXPECT_EQ(robust_z(1, {0, 0, 0, 0}), 1000);
  EXPECT_NEAR(robust_z(10, {1, 2, 3, 4, 5}), 0.6745 * 7, 1e-12);
}

TEST(Anomaly, needs_four_points_and_one_outlier_in_the_past_does_not_hide_the_next) {
  EXPECT_EQ(judge(anomaly(), {.metric = 5}, past({5, 5, 5}), now_s).outcome, Outcome::not_evaluated);
  EXPECT_EQ(judge(anomaly(), {.metric = 500}, past({100, 101, 99, 900, 100, 102}), now_s).outcome, Outcome::fail);
  EXPECT_EQ(judge(anomaly(), {.metric = 101}, past({100, 101, 99, 900, 100, 102}), now_s).outcome, Outcome::pass);
}

TEST(Anomaly, knows_the_days_of_the_week_and_the_direction) {
  std::vector<HistoryPoint> points;
  // 10 on working days, 100 on one day of the week.
  for (std::int64_t back = 70; back > 0; --back)
    points.push_back({.at_s = now_s - back * day, .metric = back % 7 == 0 ? 100.0 : 10.0});
  Check check = anomaly();
  check.weekdays_apart = true;
  EXPECT_EQ(judge(check, {.metric = 100}, points, now_s).outcome, Outcome::pass);
  EXPECT_EQ(judge(check, {.metric = 10}, points, now_s).outcome, Outcome::fail) << "usual, but not on this day";
  check.direction = Direction::up;
  EXPECT_EQ(judge(check, {.metric = 10}, points, now_s).outcome, Outcome::pass);
}

TEST(Change, is_measured_against_what_was_asked_for) {
  Check check{.type = CheckType::change, .measure = Measure::row_count};
  check.zones.fail = parse_zone("> 10").value();
  const auto history = past({10, 20, 30});
  EXPECT_NEAR(*judge(check, {.metric = 33}, history, now_s).value, 10, 1e-9);
  check.against = Against::average_7;
  EXPECT_NEAR(*judge(check, {.metric = 33}, history, now_s).value, 65, 1e-9);
  check.in_percent = false;
  check.against = Against::smallest_7;
  EXPECT_NEAR(*judge(check, {.metric = 33}, history, now_s).value, 23, 1e-9);
  check.against = Against::same_weekday;
  EXPECT_EQ(judge(check, {.metric = 33}, history, now_s).outcome, Outcome::not_evaluated);
  EXPECT_NEAR(*judge(check, {.metric = 33}, past({5, 1, 1, 1, 1, 1, 1}), now_s).value, 28, 1e-9);
}

TEST(Change, from_zero_is_no_percentage) {
  Check check{.type = CheckType::change, .measure = Measure::row_count};
  check.zones.fail = parse_zone("!= 0").value();
  EXPECT_EQ(judge(check, {.metric = 0}, past({0}), now_s).outcome, Outcome::pass);
  EXPECT_EQ(judge(check, {.metric = 5}, past({0}), now_s).outcome, Outcome::not_evaluated);
}

TEST(Age, is_strictly_above_its_limits_and_the_future_is_a_warning) {
  const FreshnessLimits limits{.warn_after = 24h, .error_after = 48h};
  EXPECT_EQ(judge_age(24h, limits).outcome, Outcome::pass);
  EXPECT_EQ(judge_age(24h + 1s, limits).outcome, Outcome::warn);
  EXPECT_EQ(judge_age(48h, limits).outcome, Outcome::warn);
  EXPECT_EQ(judge_age(48h + 1s, limits).outcome, Outcome::fail);
  EXPECT_EQ(judge_age(-1s, limits).outcome, Outcome::warn);
  EXPECT_EQ(judge_age(-1s, limits).value, 0);
}

TEST(Health, is_unknown_when_nobody_looked_and_the_worst_of_the_look_back_otherwise) {
  const WallTime now{std::chrono::seconds(now_s)};
  const auto at = [&](const char* id, Outcome outcome, Duration ago) {
    return StoredResult{.check_id = id, .name = id, .outcome = outcome, .reason = "r", .at = now - ago};
  };
  const auto status = [&](std::vector<StoredResult> results, std::optional<WallTime> last,
                          HealthViewOptions options = {}) { return judge_health(results, last, now, options).status; };
  using enum health::HealthStatus;
  EXPECT_EQ(status({}, std::nullopt), unknown);
  EXPECT_EQ(status({at("a", Outcome::pass, 25h)}, now - 25h), unknown) << "a validator that stopped is not healthy";
  EXPECT_EQ(status({at("a", Outcome::pass, 1h)}, now - 1h), up);
  EXPECT_EQ(status({at("a", Outcome::pass, 1h), at("a", Outcome::fail, 2h)}, now - 1h), degraded);
  EXPECT_EQ(status({at("a", Outcome::pass, 1h), at("a", Outcome::fail, 2h)}, now - 1h, {.latest_only = true}), up);
  EXPECT_EQ(status({at("a", Outcome::fail, 1h)}, now - 1h, {.fail_is_down = true}), down);
  EXPECT_EQ(status({at("a", Outcome::error, 1h)}, now - 1h), unknown);
  EXPECT_EQ(status({}, now - 1h), unknown);
  EXPECT_FALSE(judge_health(std::vector{at("a", Outcome::not_evaluated, 1h)}, now - 1h, now, {}).evaluated);
}

CheckReport report_of(std::initializer_list<Outcome> outcomes) {
  CheckReport report{.run_id = "r", .file = "c.yaml"};
  for (const Outcome outcome : outcomes)
    report.results.push_back(
        {.id = "i", .name = "a <b> & ]]>", .table = "t", .outcome = outcome, .reason = "50% of\nx", .line = 3});
  return report;
}

TEST(Gate, lets_through_only_what_was_evaluated_and_did_not_fail) {
  EXPECT_EQ(gate(report_of({Outcome::pass, Outcome::warn})).verdict, GateVerdict::pass);
  EXPECT_EQ(gate(report_of({Outcome::pass, Outcome::error})).verdict, GateVerdict::unknown);
  EXPECT_EQ(gate(report_of({Outcome::error, Outcome::fail})).verdict, GateVerdict::fail);
  EXPECT_EQ(gate(report_of({Outcome::not_evaluated})).verdict, GateVerdict::unknown);
  EXPECT_EQ(gate(report_of({})).verdict, GateVerdict::unknown);
}

TEST(Report, says_the_same_in_every_form) {
  const CheckReport report =
      report_of({Outcome::pass, Outcome::warn, Outcome::fail, Outcome::error, Outcome::not_evaluated});
  const std::string junit = report_junit(report);
  EXPECT_NE(junit.find("tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"1\""), std::string::npos) << junit;
  EXPECT_NE(junit.find("a &lt;b&gt; &amp; ]]&gt;"), std::string::npos);
  const std::string github = report_github(report);
  EXPECT_TRUE(github.starts_with("::error file=c.yaml,line=3,col=0,title=a <b> & ]]>::50%25 of%0Ax")) << github;
  EXPECT_NE(report_json(report).find("\"schema_version\":1"), std::string::npos);
  EXPECT_NE(report_html(report).find("a &lt;b&gt;"), std::string::npos);
  EXPECT_NE(report_text(report, Colour::no).find("1 passed, 1 warned, 1 failed, 1 errors, 1 not evaluated"),
            std::string::npos);
  metrics::Registry registry;
  record_metrics(report, registry);
  EXPECT_NE(registry.expose().find("check_outcome{check="), std::string::npos);
}

TEST(Report, shows_ten_annotations_and_how_many_more) {
  CheckReport report;
  for (int i = 0; i < 25; ++i) report.results.push_back({.name = "n", .outcome = Outcome::fail});
  const std::string text = report_github(report);
  EXPECT_EQ(std::ranges::count(text, '\n'), 10);
  EXPECT_NE(text.find("and 16 more failed"), std::string::npos) << text;
}

}  // namespace
}  // namespace serin::checks
