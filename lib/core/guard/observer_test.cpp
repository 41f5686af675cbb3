// Goal: whatever a pipeline does is told, once and with the right words, and adds up in the metrics. Method: an
// observer that writes down; the text that /metrics would show; a peer that fails as told, on fake time.
#include <gtest/gtest.h>

#include <string>

#include "serin/guard/pipeline.hpp"
#include "serin/guard/recorders.hpp"
#include "serin/sim/crew.hpp"
#include "serin/sim/world.hpp"

namespace serin::guard {
namespace {

struct Heard {
  std::string& text;
  void on_event(const Happening& happening) const {
    text += std::string(what_name(happening.what)) + "(" + std::string(happening.target) + " " +
            std::to_string(happening.attempt) + ") ";
  }
};

struct ObservedCall : testing::Test {
  Context context(Duration within = 1h) {
    return {.sleeper = world.sleeper(),
            .random = world.random(),
            .deadline = Deadline::after(world.now(), within),
            .idempotency = Idempotency::idempotent,
            .target = "api"};
  }
  sim::World world;
  std::string heard;
  retry::Retry policy =
      retry::Retry::make({.max_attempts = 2, .backoff = {.first = 100ms, .jitter = retry::Jitter::none}}).value();
  retry::TokenBudget budget{{.ratio = 0.1, .most = 1}};
  std::unique_ptr<breaker::Breaker> breaker =
      breaker::Breaker::make({.name = "db", .calls = 3, .min_calls = 3}).value();
  std::unique_ptr<limit::Bulkhead> bulkhead = limit::Bulkhead::make({.name = "db", .most = 1}).value();
};

TEST_F(ObservedCall, every_step_is_told_in_order) {
  const auto guarded = pipeline(Fallback{[](const Error&) -> Result<int> { return -1; }}, TotalDeadline{10s},
                                Retrying{policy, budget}, Breaking{*breaker}, Bounded{*bulkhead})
                           .observed(Heard{heard});
  const auto failing = [](const Context&) -> Result<int> { return fail(Errc::unavailable, "no"); };
  EXPECT_EQ(guarded.run(context(), failing).value(), -1);
  EXPECT_EQ(heard,
            "attempt_ended(api 1) retry_wait(api 1) attempt_ended(api 2) retry_stopped(api 2) fallback_used(api 1) ");
  heard.clear();
  EXPECT_EQ(guarded.run(context(), failing).value(), -1);
  EXPECT_EQ(heard, "attempt_ended(api 1) retry_stopped(api 1) rejected_by_budget(api 1) fallback_used(api 1) ");
  heard.clear();
  Context unnamed = context();
  unnamed.target = {};
  static_cast<void>(pipeline(Breaking{*breaker}).observed(Heard{heard}).run(unnamed, failing));
  breaker->reset();
  const auto place = bulkhead->try_enter();
  static_cast<void>(pipeline(Bounded{*bulkhead}).observed(Heard{heard}).run(unnamed, failing));
  EXPECT_EQ(heard, "rejected_by_breaker(db 1) rejected_by_bulkhead(db 1) ") << "without a target: the element's name";
  heard.clear();
  const auto late = [](const Context&) -> Result<int> { return fail(Errc::deadline_exceeded, "no answer"); };
  static_cast<void>(pipeline(AttemptTimeout{1s}).observed(Heard{heard}).run(context(), late));
  EXPECT_EQ(heard, "attempt_ended(api 1) deadline_hit(api 1) ");
}

TEST_F(ObservedCall, metrics_add_up_under_stable_names) {
  metrics::Registry registry;
  TargetMetrics counted(registry, "api");
  const ChaosOptions chaos{.fault_rate = 1};
  const auto guarded =
      pipeline(Retrying{policy, budget}, Breaking{*breaker}, Chaos{chaos}).observed(MetricsObserver{counted});
  for (int i = 0; i < 3; ++i)
    static_cast<void>(guarded.run(context(), [](const Context&) -> Result<int> { return 1; }));
  static_cast<void>(
      pipeline().observed(MetricsObserver{counted}).run(context(), [](const Context&) -> Result<int> { return 1; }));
  write_gauges(registry, "api",
               {.breaker = breaker->snapshot(world.now()), .budget_left = 0.5, .bulkhead = bulkhead->snapshot()});
  const std::string text = registry.expose();
  for (const char* line :
       {"resilience_attempts_total{target=\"api\",outcome=\"success\"} 1\n",
        "resilience_chaos_total{target=\"api\"} 3\n", "resilience_retries_total{target=\"api\"} 1\n",
        "resilience_rejected_total{target=\"api\",by=\"breaker\"} 1\n",
        "resilience_attempt_seconds_count{target=\"api\"} 1\n", "resilience_breaker_state{target=\"api\"} 2\n",
        "resilience_budget_left{target=\"api\"} 0.5\n", "resilience_bulkhead_inside{target=\"api\"} 0\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST_F(ObservedCall, log_lines_say_what_where_and_why) {
  const Logger logger(world.log());
  const auto guarded = pipeline(Retrying{policy, budget}).observed(LogObserver{logger});
  static_cast<void>(
      guarded.run(context(), [](const Context&) -> Result<int> { return fail(Errc::unavailable, "no"); }));
  breaker->on_change(log_changes(logger, "api"));
  for (int i = 0; i < 3; ++i) breaker->acquire(world.now())->report(OutcomeClass::transient, 1ms, world.now());
  EXPECT_EQ(world.log_lines(),
            (std::vector<std::string>{
                "debug resilience.attempt_ended target=api attempt=1 outcome=transient seconds=0",
                "info resilience.retry_wait target=api attempt=1 outcome=transient seconds=0.1",
                "debug resilience.attempt_ended target=api attempt=2 outcome=transient seconds=0",
                "warn resilience.retry_stopped target=api attempt=2 outcome=transient reason=attempts_used",
                "warn resilience.breaker target=api from=closed to=open"}));
}

TEST(ObservedHedge, sent_and_won_are_told) {
  sim::Crew crew;
  sim::SeededRandom random(1);
  std::string heard;
  retry::TokenBudget budget{};
  auto hedge = Hedge::make({.name = "db", .delay = 10ms}).value();
  const auto guarded = pipeline(Hedging{*hedge, budget}).observed(Heard{heard});
  const auto work = [&](const Context& c) -> Result<int> {
    SERIN_CHECK(sleep_until(crew, crew.now() + (c.hedge == 0 ? 1s : Duration(1ms)), c.stop));
    return c.hedge;
  };
  EXPECT_EQ(guarded
                .run({.sleeper = crew,
                      .random = random,
                      .deadline = Deadline::never(),
                      .idempotency = Idempotency::idempotent,
                      .target = "api",
                      .tasks = &crew},
                     work)
                .value(),
            1);
  EXPECT_EQ(heard, "hedge_sent(api 1) attempt_ended(api 1) attempt_ended(api 1) hedge_won(api 1) ");
}

}  // namespace
}  // namespace serin::guard
