// Goal: never early, never past the deadline, never twice what must not be done twice, never beyond the budget. Method:
// fake time; the presets' figures are pinned.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "serin/retry/presets.hpp"
#include "serin/sim/world.hpp"

namespace serin::retry {
namespace {

struct RetriedCall : testing::Test {
  Call call(Duration within = 1h, Idempotency idempotency = Idempotency::idempotent) {
    return {.sleeper = world.sleeper(),
            .random = world.random(),
            .deadline = Deadline::after(world.now(), within),
            .idempotency = idempotency};
  }
  /// Fails `failures` times with `code`, then succeeds.
  auto flaky(int failures, Errc code = Errc::unavailable) {
    return [this, failures, code](Attempt attempt) -> Result<int> {
      attempts = attempt.number;
      if (attempt.number <= failures) return fail(code, "no");
      return attempt.number;
    };
  }
  sim::World world;
  int attempts = 0;
};

Retry policy(RetryOptions options) { return Retry::make(std::move(options)).value(); }

TEST_F(RetriedCall, tries_until_it_works_and_counts_the_first) {
  TokenBudget budget;
  EXPECT_EQ(run(policy({.max_attempts = 3}), &budget, call(), flaky(2)).value(), 3);
  EXPECT_FALSE(run(policy({.max_attempts = 2}), &budget, call(), flaky(2)).has_value());
  EXPECT_EQ(attempts, 2);
  EXPECT_FALSE(run(policy({.max_attempts = 1}), &budget, call(), flaky(1)).has_value());
  EXPECT_EQ(attempts, 1);
}

TEST_F(RetriedCall, does_not_repeat_what_is_permanent_or_not_idempotent) {
  for (const Errc code : {Errc::not_found, Errc::invalid_argument, Errc::permission_denied, Errc::cancelled}) {
    EXPECT_FALSE(run(policy({.max_attempts = 5}), nullptr, call(), flaky(9, code)).has_value());
    EXPECT_EQ(attempts, 1) << errc_name(code);
  }
  EXPECT_FALSE(run(policy({.max_attempts = 5}), nullptr, call(1h, Idempotency::not_idempotent), flaky(9)).has_value());
  EXPECT_EQ(attempts, 1) << "it may have been done";
  EXPECT_TRUE(run(policy({.max_attempts = 5}), nullptr, call(1h, Idempotency::not_idempotent), flaky(2, Errc::rejected))
                  .has_value())
      << "a limit of ours said no: surely not done";
}

TEST_F(RetriedCall, never_sleeps_past_the_deadline) {
  const Instant began = world.now();
  const Retry retry = policy({.max_attempts = 100, .backoff = {.first = 1s, .jitter = Jitter::none}});
  EXPECT_FALSE(run(retry, nullptr, call(4s), flaky(1000)).has_value());
  EXPECT_EQ(world.now() - began, 3s)
      << "1 s and 2 s; the next wait of 4 s would end at or after the deadline, so it is not begun";
  EXPECT_EQ(attempts, 3);
}

TEST_F(RetriedCall, takes_retry_after_as_a_lower_bound_and_spreads_it) {
  const Retry retry = policy({.max_attempts = 2, .retry_after_spread = 0.5});
  std::map<Duration, int> seen;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Attempted attempted{.number = 1, .outcome = OutcomeClass::throttled, .retry_after = 10s};
    const Decision decision =
        decide(retry, attempted, Idempotency::idempotent, world.now(), Deadline::never(), world.random().next());
    ASSERT_GE(decision.wait, 10s) << "never early";
    ASSERT_LE(decision.wait, 15s);
    ++seen[decision.wait];
  }
  EXPECT_GT(seen.size(), 1900u) << "not all at the same instant";
}

TEST_F(RetriedCall, gives_each_attempt_its_own_deadline_within_the_calls) {
  std::vector<Duration> given;
  const auto work = [&](Attempt attempt) -> Result<int> {
    given.push_back(attempt.deadline.left(world.now()));
    world.advance(given.back());
    return fail(Errc::deadline_exceeded, "slow");
  };
  const Retry retry =
      policy({.max_attempts = 9, .backoff = {.first = 1s, .most = 1s, .jitter = Jitter::none}, .attempt_timeout = 2s});
  EXPECT_FALSE(run(retry, nullptr, call(6500ms), work).has_value());
  EXPECT_EQ(given, (std::vector<Duration>{2s, 2s, 500ms}));
}

TEST_F(RetriedCall, makes_no_more_retries_than_the_budget_and_gives_back_what_it_did_not_use) {
  TokenBudget budget({.ratio = 0.1, .most = 10});
  const Retry retry = policy({.max_attempts = 4, .backoff = {.first = 1ms, .most = 1ms}});
  int made = 0;
  for (int i = 0; i < 1000; ++i)
    static_cast<void>(run(retry, &budget, call(), [&](Attempt) -> Result<int> {
      ++made;
      return fail(Errc::unavailable, "down");
    }));
  EXPECT_NEAR(made, 1000 + 110, 2) << "a total outage: 1.11 times the calls, not 4 times";
  InFlightBudget in_flight({.ratio = 0.2, .min_retries = 1});
  world.request_stop();
  EXPECT_FALSE(run(policy({.max_attempts = 3}), &in_flight, call(), flaky(9)).has_value())
      << "cancelled while it waited";
  world.clear_stop();
  EXPECT_TRUE(run(policy({.max_attempts = 3}), &in_flight, call(), flaky(1)).has_value()) << "nothing leaked";
}

TEST(Presets, keep_their_numbers) {
  const std::map<std::string_view, std::tuple<int, Duration, Duration>> pinned{{"fast", {3, 500ms, 5s}},
                                                                               {"standard", {4, 1s, 15s}},
                                                                               {"patient", {5, 2s, 30s}},
                                                                               {"aggressive", {7, 1s, 45s}},
                                                                               {"aws_standard_2026", {3, 50ms, 20s}},
                                                                               {"grpc_default", {4, 100ms, 1s}},
                                                                               {"http_client", {3, 100ms, 2s}},
                                                                               {"database", {5, 20ms, 1s}},
                                                                               {"interactive", {2, 50ms, 200ms}},
                                                                               {"background", {6, 1s, 60s}}};
  ASSERT_EQ(presets().size(), pinned.size());
  for (const Preset& known : presets()) {
    const auto& [attempts, first, most] = pinned.at(known.name);
    EXPECT_EQ(known.options.max_attempts, attempts) << known.name;
    EXPECT_EQ(known.options.backoff.first, first) << known.name;
    EXPECT_EQ(known.options.backoff.most, most) << known.name;
    ASSERT_TRUE(preset(known.name).has_value()) << known.name;
  }
  EXPECT_FALSE(preset("desperate").has_value());
  // Full jitter: the mean is half of the sum of the ceilings.
  EXPECT_NEAR(seconds_of(total_wait(*preset("fast")).mean), 0.75, 0.01);
  EXPECT_NEAR(seconds_of(total_wait(*preset("standard")).mean), 3.5, 0.05);
  EXPECT_NEAR(seconds_of(total_wait(*preset("patient")).mean), 15, 0.2);
  EXPECT_NEAR(seconds_of(total_wait(*preset("aggressive")).mean), 31.5, 0.3);
  EXPECT_GT(total_wait(*preset("patient")).p95, total_wait(*preset("patient")).mean);
}

TEST(Retry, that_makes_no_sense_is_refused_with_the_field) {
  const auto error_of = [](RetryOptions options) { return Retry::make(std::move(options)).error().detail(); };
  EXPECT_EQ(error_of({.max_attempts = 0}), "retry.max_attempts must be from 1 (no retry) to 1000, not 0");
  EXPECT_EQ(error_of({.backoff = {.first = -1s}}), "retry.backoff.first must be above 0, not -1s");
  EXPECT_EQ(error_of({.retry_after_spread = -1}), "retry.retry_after_spread must be from 0 to 10, not -1");
  EXPECT_EQ(error_of({.attempt_timeout = -1s}), "retry.attempt_timeout must be 0 (none) or more, not -1s");
}

}  // namespace
}  // namespace serin::retry
