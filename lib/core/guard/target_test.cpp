// Goal: a target does exactly what its policy says and nothing that it does not. Method: one policy a test, scripted
// work on fake time.
#include "serin/guard/target.hpp"

#include <gtest/gtest.h>

#include "serin/guard/states.hpp"
#include "serin/sim/world.hpp"

namespace serin::guard {
namespace {

struct Targets : testing::Test {
  std::unique_ptr<Target> make(const TargetPolicy& policy) {
    return Target::make("db", world.sleeper(), world.random(), policy).value();
  }
  /// Work that fails so often, then succeeds.
  auto failing(int times) {
    return [this, times](const Context&) -> Result<int> {
      if (++calls <= times) return fail(Errc::unavailable, "no");
      return calls;
    };
  }
  Result<int> call(Target& target, const std::function<Result<int>(const Context&)>& work) {
    return target.run(Idempotency::idempotent, Deadline::after(world.now(), 60s), work);
  }
  sim::World world;
  int calls = 0;
};

TEST_F(Targets, without_a_policy_call_once_and_refuse_nothing) {
  const auto target = make({});
  EXPECT_FALSE(call(*target, failing(1)).has_value());
  EXPECT_EQ(calls, 1);
  calls = 0;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(call(*target, failing(1'000'000)).has_value());
  EXPECT_EQ(calls, 1000);
  EXPECT_EQ(target->breaker(), nullptr);
}

TEST_F(Targets, retry_pace_break_and_limit_as_their_policy_says) {
  retry::RetryOptions twice;
  twice.max_attempts = 2;
  const auto retrying = make({.retry = twice});
  EXPECT_TRUE(call(*retrying, failing(1)).has_value());

  calls = 0;
  const auto breaking = make({.breaker = breaker::BreakerOptions{.calls = 4, .min_calls = 4}});
  for (int i = 0; i < 10; ++i) static_cast<void>(call(*breaking, failing(100)));
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(call(*breaking, failing(0)).error().detail(), "breaker 'db' is open");

  const auto nested = [&](Target& target) {
    return call(target, [&](const Context&) {
      return target.run(Idempotency::idempotent, Deadline::after(world.now(), 1ms),
                        [](const Context&) -> Result<int> { return 1; });
    });
  };
  EXPECT_FALSE(nested(*make({.bulkhead = limit::BulkheadOptions{.most = 1}})).has_value());
  EXPECT_TRUE(nested(*make({.bulkhead = limit::BulkheadOptions{.most = 2}})).has_value());
  EXPECT_FALSE(nested(*make({.adaptive = limit::AdaptiveOptions{.first = 1, .least = 1}})).has_value());
}

TEST_F(Targets, each_kind_of_rate_lets_through_what_it_says) {
  for (const RateKind kind : {RateKind::gcra, RateKind::bucket}) {
    const auto paced = make({.rate = std::pair(kind, limit::RateOptions{.rate = 10, .burst = 1})});
    const Instant began = world.now();
    for (int i = 0; i < 11; ++i) EXPECT_TRUE(call(*paced, failing(0)).has_value());
    EXPECT_NEAR(seconds_of(world.now() - began), 1, 0.01);
    EXPECT_LT(*paced->state().rate_left, 1);
  }
}

TEST_F(Targets, times_bound_the_attempt_and_the_whole_call) {
  const auto asleep = [this](const Context& context) -> Result<int> {
    ++calls;
    static_cast<void>(context.sleeper.sleep_until(context.deadline.at()));
    return fail(Errc::deadline_exceeded, "slow");
  };
  retry::RetryOptions often;
  often.max_attempts = 100;
  often.backoff = {.first = 1ms, .most = 1ms};
  const auto target = make({.retry = often, .attempt_timeout = 1s, .deadline = 3500ms});
  const Instant began = world.now();
  EXPECT_EQ(call(*target, asleep).error().code(), Errc::deadline_exceeded);
  EXPECT_LE(world.now() - began, 3500ms);
  EXPECT_EQ(calls, 4);
}

TEST_F(Targets, say_null_for_what_they_do_not_have) {
  const auto bare = make({});
  EXPECT_EQ(to_json({{.name = "db", .state = bare->state()}}),
            R"({"targets":[{"breaker":null,"override":null,"calls":null,"failures":null,"slow":null,"opened":null,)"
            R"("open_for_seconds":null,"name":"db","rejected":0,"budget_left":1E0,"inside":null,"waiting":null,)"
            R"("most_at_once":null,"rate_left":null}]})");
  metrics::Registry registry;
  bare->write_gauges(registry);
  EXPECT_FALSE(registry.expose().contains("resilience_breaker_state"));
}

TEST_F(Targets, refuse_policies_that_make_no_sense_naming_target_and_field) {
  const auto error = [&](const TargetPolicy& policy) {
    const auto made = Target::make("db", world.sleeper(), world.random(), policy);
    return made ? std::string() : made.error().detail();
  };
  EXPECT_EQ(usual_policy("desperate").error().detail(), "there is no retry preset 'desperate'");
  EXPECT_EQ(error({.attempt_timeout = -1s}), "target 'db': attempt_timeout must be above 0, not -1s");
  EXPECT_TRUE(error({.bulkhead = limit::BulkheadOptions{.most = 0}}).contains("most"));
  EXPECT_TRUE(error({.breaker = breaker::BreakerOptions{.failure_rate = 2}}).contains("breaker 'db': failure_rate"));
  EXPECT_TRUE(error({.budget = retry::QuotaOptions{.cost = 0}}).contains("cost"));
}

}  // namespace
}  // namespace serin::guard
