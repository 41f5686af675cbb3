// Goal: what a policy promises holds for every policy. Method: seeded random policies on fake time, each printed by its
// seed; statistics with their power stated; real threads for the budgets, also run under ThreadSanitizer.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <latch>
#include <map>
#include <thread>
#include <vector>

#include "serin/base/split_mix.hpp"
#include "serin/retry/presets.hpp"
#include "serin/sim/world.hpp"

namespace serin::retry {
namespace {

constexpr Jitter jitters[] = {
    Jitter::full, Jitter::equal, Jitter::none, Jitter::decorrelated, Jitter::decorrelated_aws_blog, Jitter::plus_minus};

RetryOptions random_policy(std::uint64_t& state) {
  RetryOptions options{.max_attempts = static_cast<int>(1 + split_mix(state) % 12)};
  options.backoff.shape = static_cast<Shape>(split_mix(state) % 5);
  options.backoff.first = Duration(1 + split_mix(state) % 2'000'000'000);
  options.backoff.most = options.backoff.first + Duration(split_mix(state) % 60'000'000'000);
  options.backoff.factor = 1 + static_cast<double>(split_mix(state) % 40) / 10;
  options.backoff.jitter = jitters[split_mix(state) % std::size(jitters)];
  options.backoff.sequence = {Duration(split_mix(state) % 5'000'000'000), Duration(split_mix(state) % 5'000'000'000)};
  options.backoff.function = [](int failures) -> Duration { return failures * 123ms; };
  options.retry_after_spread = static_cast<double>(split_mix(state) % 101) / 10;
  if (split_mix(state) % 2 == 0) options.attempt_timeout = Duration(1 + split_mix(state) % 3'000'000'000);
  return options;
}

TEST(RetryProperty, no_jitter_puts_an_atom_on_the_cap_but_the_one_named_for_it) {
  // 20,000 waits of 100 chains under lasting failure. An atom of 0.1 % at the cap shows up as 20 waits on average, and
  // stays below the 3 that are allowed here with a probability of 3e-6; no atom gives 3 or more with less than 1e-9.
  const auto share_at_cap = [](Jitter jitter) {
    const Backoff backoff = Backoff::make({.first = 100ms, .most = 20s, .jitter = jitter, .plus_minus = 0.2}).value();
    std::uint64_t state = 42;
    int at_cap = 0;
    for (int chain = 0; chain < 100; ++chain) {
      Duration previous{};
      for (int failures = 1; failures <= 220; ++failures) {
        previous = backoff.wait(failures, split_mix(state), previous);
        EXPECT_LE(previous, 20s);
        if (failures > 20 && previous >= 20s - 1us) ++at_cap;
      }
    }
    return at_cap;
  };
  for (const Jitter jitter : {Jitter::full, Jitter::equal, Jitter::decorrelated, Jitter::plus_minus})
    EXPECT_LT(share_at_cap(jitter), 3) << jitter_name(jitter);
  EXPECT_NEAR(share_at_cap(Jitter::decorrelated_aws_blog) / 20'000.0, 0.288, 0.03) << "the share that others measured";
  EXPECT_EQ(share_at_cap(Jitter::none), 20'000);
}

TEST(RetryProperty, jitter_fills_its_range_evenly_at_the_cap) {
  // Chi-square over ten parts of the range, 9 degrees of freedom: 40 is passed by chance once in 1e5, and a part that
  // holds a tenth too little or too much passes it nearly always with 20,000 waits.
  for (const auto& [jitter, low] :
       std::map<Jitter, double>{{Jitter::full, 0}, {Jitter::equal, 10}, {Jitter::plus_minus, 16}}) {
    const Backoff backoff = Backoff::make({.first = 100ms, .most = 20s, .jitter = jitter, .plus_minus = 0.2}).value();
    std::uint64_t state = 7;
    std::vector<int> parts(10);
    for (int i = 0; i < 20'000; ++i) {
      const double wait = seconds_of(backoff.wait(30, split_mix(state), {}));
      ASSERT_GE(wait, low);
      ++parts[std::min<std::size_t>(9, static_cast<std::size_t>((wait - low) / (20 - low) * 10))];
    }
    double chi_square = 0;
    for (const int count : parts) chi_square += (count - 2000.0) * (count - 2000.0) / 2000.0;
    EXPECT_LT(chi_square, 40) << jitter_name(jitter);
  }
}

TEST(RetryProperty, is_never_early_and_never_sleeps_past_the_deadline) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::uint64_t state = seed;
    const Retry retry = Retry::make(random_policy(state)).value();
    sim::World world;
    const Instant began = world.now();
    const Deadline deadline = Deadline::after(began, Duration(1 + split_mix(state) % 60'000'000'000));
    std::optional<Duration> asked;
    Instant ended = began;
    int attempts = 0;
    const Call call{.sleeper = world.sleeper(),
                    .random = world.random(),
                    .deadline = deadline,
                    .idempotency = Idempotency::idempotent};
    const auto work = [&](Attempt attempt) -> Result<int> {
      ++attempts;
      EXPECT_EQ(attempt.number, attempts);
      EXPECT_GE(world.now() - ended, asked.value_or(0s)) << "early; seed " << seed;
      EXPECT_LT(world.now(), deadline.at()) << "an attempt that cannot end in time; seed " << seed;
      EXPECT_LE(attempt.deadline.at(), deadline.at()) << seed;
      ended = world.now();
      if (split_mix(state) % 8 == 0) return 1;
      asked.reset();
      if (split_mix(state) % 3 == 0) asked = Duration(split_mix(state) % 10'000'000'000);
      return fail(asked ? Errc::exhausted : Errc::unavailable, "no");
    };
    const auto retry_after = [&](const Result<int>&) { return asked; };
    (void)run(retry, nullptr, call, work, NoObserver{}, retry_after);
    ASSERT_LE(attempts, retry.options().max_attempts) << seed;
    ASSERT_LT(world.now(), deadline.at()) << "it slept into the deadline; seed " << seed;
  }
}

TEST(RetryProperty, a_budget_grants_exactly_what_it_allows_under_contention) {
  const auto granted_by = [](Budget& budget, int tries) {
    std::atomic<int> granted{0};
    std::latch together(4);
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        together.arrive_and_wait();
        for (int i = 0; i < tries; ++i) granted.fetch_add(budget.try_retry(false) ? 1 : 0);
      });
    threads.clear();
    return granted.load();
  };
  const auto calls = [](Budget& budget, int each) {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, each] {
        for (int i = 0; i < each; ++i) budget.on_call();
      });
  };
  TokenBudget tokens({.ratio = 0.1, .most = 500'000});
  EXPECT_EQ(granted_by(tokens, 300'000), 500'000);
  calls(tokens, 1250);
  EXPECT_EQ(granted_by(tokens, 5000), 500) << "a tenth of 5,000 calls";
  EXPECT_DOUBLE_EQ(tokens.left(), 0);

  InFlightBudget in_flight({.ratio = 0.2, .min_retries = 3});
  EXPECT_EQ(granted_by(in_flight, 100), 3);
  calls(in_flight, 250);
  EXPECT_EQ(granted_by(in_flight, 5000), 197) << "a fifth of 1,000 calls in flight, three of them before";

  // Long enough that the threads meet, on one busy core too; it takes as TokenBudget does.
  Quota quota({.most = 8'000'000, .cost = 1, .cost_of_timeout = 2});
  EXPECT_EQ(granted_by(quota, 4'000'000), 8'000'000);
}

TEST(RetryProperty, a_budget_never_holds_more_than_its_most_whatever_races) {
  TokenBudget budget({.ratio = 1, .most = 10});
  std::atomic<int> granted{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i) budget.on_call();
      });
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i) granted.fetch_add(budget.try_retry(false) ? 1 : 0);
      });
    }
  }
  EXPECT_LE(granted.load(), 40'000 + 10);
  EXPECT_LE(budget.left(), 1.0);
  EXPECT_GE(budget.left(), 0.0);
}

struct Pinned {
  int attempts;
  Duration first;
  Duration most;
  double mean;  // seconds
  double p95;
};
TEST(Presets, cost_what_the_manual_says) {
  // The mean of full jitter is half the sum of the ceilings, by hand; p95 by total_wait(), pinned.
  const std::map<std::string_view, Pinned> pinned{{"fast", {3, 500ms, 5s, 0.75, 1.272}},
                                                  {"standard", {4, 1s, 15s, 3.5, 5.658}},
                                                  {"patient", {5, 2s, 30s, 15, 23.7}},
                                                  {"aggressive", {7, 1s, 45s, 31.5, 48.87}},
                                                  {"aws_standard_2026", {3, 50ms, 20s, 0.075, 0.1272}},
                                                  {"grpc_default", {4, 100ms, 1s, 0.7, 0.7863}},
                                                  {"http_client", {3, 100ms, 2s, 0.15, 0.2544}},
                                                  {"database", {5, 20ms, 1s, 0.15, 0.237}},
                                                  {"interactive", {2, 50ms, 200ms, 0.025, 0.0475}},
                                                  {"background", {6, 1s, 60s, 15.5, 24.19}}};
  EXPECT_EQ(presets().size(), pinned.size());
  for (const Preset& preset : presets()) {
    ASSERT_TRUE(pinned.contains(preset.name)) << preset.name;
    const Pinned& expected = pinned.at(preset.name);
    EXPECT_EQ(preset.options.max_attempts, expected.attempts) << preset.name;
    EXPECT_EQ(preset.options.backoff.first, expected.first) << preset.name;
    EXPECT_EQ(preset.options.backoff.most, expected.most) << preset.name;
    EXPECT_TRUE(wrongs(preset.options).empty()) << preset.name;
    const TotalWait wait = total_wait(serin::retry::preset(preset.name).value());
    EXPECT_NEAR(seconds_of(wait.mean), expected.mean, 0.015 * expected.mean) << preset.name;
    EXPECT_NEAR(seconds_of(wait.p95), expected.p95, 0.005 * expected.p95) << preset.name;
  }
}

TEST(Options, that_are_constants_are_checked_when_they_are_compiled) {
  constexpr RetryOptions options = checked(RetryOptions{.max_attempts = 4, .backoff = {.first = 50ms, .most = 2s}});
  EXPECT_EQ(Retry::make(options).value().options().max_attempts, 4);
  const Wrongs all = wrongs(
      RetryOptions{.max_attempts = 0, .backoff = {.first = 2s, .most = 1s, .factor = 0.5}, .retry_after_spread = 11});
  std::vector<std::string> texts;
  for (const Wrong& wrong : all.list()) texts.push_back(wrong.text());
  EXPECT_EQ(texts, (std::vector<std::string>{"max_attempts must be from 1 (no retry) to 1000, not 0",
                                             "backoff.most must be backoff.first or more, not 1s",
                                             "backoff.factor must be from 1 to 1000000, not 0.5",
                                             "retry_after_spread must be from 0 to 10, not 11"}));
  EXPECT_EQ(Retry::make({.max_attempts = 0}).error().detail(),
            "retry.max_attempts must be from 1 (no retry) to 1000, not 0");
}

}  // namespace
}  // namespace serin::retry
