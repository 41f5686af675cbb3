// Goal: unknown is never healthy, no check can delay or hide another, and the answer always has its whole shape.
// Method: the meaning of a state is pure and asked at chosen instants; the runner with checks that wait for the test.
#include "serin/health/health.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json.hpp>
#include <latch>
#include <stdexcept>

#include "serin/sim/world.hpp"

namespace serin::health {
namespace {

const Instant t0 = Instant(1h);

CheckState state(std::optional<CheckAnswer> answer, bool critical = true) {
  return {.options = {.name = "c", .critical = critical, .timeout = 2s, .every = 5s},
          .running_since = {},
          .answer = std::move(answer),
          .answered_at = t0,
          .lasted = 3ms};
}

TEST(Evaluate, takes_unknown_for_a_failure) {
  EXPECT_EQ(evaluate(state(std::nullopt), t0).answer.reason, "not_run_yet");
  EXPECT_EQ(evaluate(state(CheckAnswer::pass()), t0 + 1s).answer.status, HealthStatus::up);
  EXPECT_EQ(evaluate(state(CheckAnswer::pass()), t0 + 18s).answer.reason, "stale");
  CheckState hanging = state(CheckAnswer::pass());
  hanging.running_since = t0 + 5s;
  EXPECT_EQ(evaluate(hanging, t0 + 7s).answer.status, HealthStatus::up) << "still within its time";
  EXPECT_EQ(evaluate(hanging, t0 + 7s + 1ns).answer.reason, "timeout");
}

CheckReport report_of(HealthStatus status, bool critical) {
  return {.name = "c", .critical = critical, .answer = {.status = status}};
}

TEST(Aggregate, is_the_worst_and_critical_decides_between_unhealthy_and_degraded) {
  EXPECT_EQ(aggregate({}), Overall::healthy);
  EXPECT_EQ(aggregate({report_of(HealthStatus::down, false)}), Overall::degraded);
  EXPECT_EQ(aggregate({report_of(HealthStatus::degraded, true)}), Overall::degraded);
  EXPECT_EQ(aggregate({report_of(HealthStatus::down, true), report_of(HealthStatus::up, true)}), Overall::unhealthy);
  EXPECT_EQ(aggregate({report_of(HealthStatus::up, true)}), Overall::healthy);
}

TEST(Render, has_all_fields_in_every_answer_and_hides_what_may_be_secret) {
  HealthReport report{.overall = Overall::unhealthy, .service = "s", .checks = {}};
  report.checks.push_back({.name = "a", .answer = CheckAnswer::fail("refused", "password=hunter2", {{"host", "db1"}})});
  report.checks.push_back({.name = "b", .critical = false, .answer = CheckAnswer::warn("old", "old data")});
  report.checks.push_back({.name = "c", .answer = CheckAnswer::skip("no games")});
  report.checks.push_back({.name = "d", .duration = 5ms, .answer = CheckAnswer::pass()});
  for (const bool details : {false, true}) {
    const auto body = boost::json::parse(render(report, details)).as_object();
    EXPECT_EQ(body.at("checks_run").as_int64(), body.at("checks_passed").as_int64() +
                                                    body.at("checks_warned").as_int64() +
                                                    body.at("checks_failed").as_int64());
    EXPECT_EQ(body.at("checks_skipped"), 1);
    EXPECT_EQ(body.at("total_duration_ms"), 5.0);
    for (const auto& check : body.at("checks").as_array())
      for (const char* field : {"check", "status", "critical", "duration_ms", "details", "error", "reason"})
        EXPECT_TRUE(check.as_object().contains(field)) << field;
    EXPECT_EQ(render(report, details).find("hunter2") != std::string::npos, details);
    EXPECT_EQ(render(report, details).find("db1") != std::string::npos, details);
  }
}

/// Waits until the report satisfies the condition; the test's time limit bounds it.
template <class Condition>
HealthReport until(const Health& health, const Condition& condition) {
  for (;;) {
    HealthReport report = health.report(Health::Which::all);
    if (condition(report)) return report;
    std::this_thread::yield();
  }
}

/// Time that one thread moves while others read it.
class SteppedClock final : public Clock {
 public:
  Instant now() const override { return Instant(Duration(now_.load())); }
  WallTime wall() const override { return {}; }
  void advance(Duration by) { now_ += by.count(); }

 private:
  std::atomic<Duration::rep> now_ = t0.time_since_epoch().count();
};

TEST(Health, answers_while_a_check_hangs_and_does_not_start_it_again) {
  SteppedClock clock;
  std::latch let_go(1);
  std::atomic<int> started = 0;
  Health health("s", clock);
  health.add({.name = "hangs", .timeout = 1s}, [&](Deadline) {
    ++started;
    let_go.wait();
    return CheckAnswer::pass();
  });
  health.add({.name = "fine"}, [](Deadline) { return CheckAnswer::pass(); });
  until(health, [](const HealthReport& r) { return r.checks[1].answer.status == HealthStatus::up; });
  EXPECT_EQ(health.report(Health::Which::all).checks[0].answer.reason, "not_run_yet");
  clock.advance(1s + 1ms);
  const HealthReport report =
      until(health, [](const HealthReport& r) { return r.checks[0].answer.reason == "timeout"; });
  EXPECT_EQ(report.overall, Overall::unhealthy);
  EXPECT_EQ(report.checks[1].answer.status, HealthStatus::up) << "the other is not touched";
  EXPECT_EQ(started, 1);
  let_go.count_down();
}

TEST(Health, contains_what_a_check_throws) {
  sim::World world;
  Health health("s", world.sleeper());
  health.add({.name = "throws"}, [](Deadline) -> CheckAnswer { throw std::runtime_error("boom"); });
  health.add({.name = "odd", .critical = false}, [](Deadline) -> CheckAnswer { throw 7; });
  const HealthReport report = until(health, [](const HealthReport& r) {
    return r.checks[0].answer.reason == "exception" && r.checks[1].answer.reason == "exception";
  });
  EXPECT_EQ(report.checks[0].answer.error, "boom");
  EXPECT_EQ(health.report(Health::Which::critical).checks.size(), 1u);
}

}  // namespace
}  // namespace serin::health
