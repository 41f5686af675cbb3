// Goal: whatever is done to a breaker, it never sticks and never lets too many through. Method: seeded random sequences
// on fake time, each printed by its seed; real threads for the permits, also run under ThreadSanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "serin/base/split_mix.hpp"
#include "serin/breaker/breaker.hpp"

namespace serin::breaker {
namespace {

BreakerOptions random_options(std::uint64_t& state) {
  BreakerOptions options{.name = "db", .window = static_cast<WindowKind>(split_mix(state) % 3)};
  options.calls = static_cast<int>(1 + split_mix(state) % 20);
  options.min_calls = static_cast<int>(1 + split_mix(state) % static_cast<std::uint64_t>(options.calls));
  options.length = Duration(200'000'000 + split_mix(state) % 5'000'000'000);
  options.buckets = static_cast<int>(1 + split_mix(state) % 10);
  options.failure_rate = static_cast<double>(1 + split_mix(state) % 10) / 10;
  options.slow_rate = static_cast<double>(1 + split_mix(state) % 10) / 10;
  options.slow_call = split_mix(state) % 2 == 0 ? Duration{} : Duration(1s);
  options.open_for = Duration(1 + split_mix(state) % 3'000'000'000);
  options.open_most = options.open_for * 4;
  options.half_open_calls = static_cast<int>(1 + split_mix(state) % 5);
  options.half_open_lease = Duration(1 + split_mix(state) % 3'000'000'000);
  return options;
}

/// Calls that all succeed quickly, until it is closed. \return  how many it took; -1: it never closed
int calls_until_closed(Breaker& breaker, Instant now) {
  for (int i = 0; i < 100; ++i) {
    if (breaker.snapshot(now).state == State::closed) return i;
    if (auto permit = breaker.acquire(now)) permit->report(OutcomeClass::success, 1ms, now);
    now += 4s;  // longer than any lease and any part of an open time
  }
  return -1;
}

// The short way for a success is only a short way: two breakers that hear the same stay the same.
TEST(BreakerProperty, a_success_that_is_left_out_would_have_changed_nothing) {
  std::int64_t left_out = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    std::uint64_t state = seed;
    const BreakerOptions options = random_options(state);
    const auto whole = Breaker::make(options).value();
    const auto quick = Breaker::make(options).value();
    Instant now(1h);
    for (int step = 0; step < 600; ++step) {
      now += Duration(split_mix(state) % 400'000'000);
      if (split_mix(state) % 50 == 0) {
        const auto override = split_mix(state) % 3 == 0 ? static_cast<Override>(split_mix(state) % 4) : Override::none;
        whole->set_override(override, now);
        quick->set_override(override, now);
      }
      auto slowly = whole->acquire(now);
      auto quickly = quick->acquire(now);
      ASSERT_EQ(slowly.has_value(), quickly.has_value()) << "seed " << seed << ", step " << step;
      if (!slowly) continue;
      // Long rows of successes, so that the window fills with them.
      const bool calm = seed % 3 != 0;
      const OutcomeClass outcome = split_mix(state) % 60 < (calm ? 59U : 30U)
                                       ? OutcomeClass::success
                                       : static_cast<OutcomeClass>(split_mix(state) % 6);
      const Duration took(split_mix(state) % 2'000'000'000);
      slowly->report(outcome, took, now);
      if (quickly->report_if_unchanged(outcome))
        ++left_out;
      else
        quickly->report(outcome, took, now);
      const Breaker::Snapshot one = whole->snapshot(now);
      const Breaker::Snapshot other = quick->snapshot(now);
      ASSERT_EQ(one.state, other.state) << "seed " << seed << ", step " << step;
      ASSERT_EQ(one.calls, other.calls) << "seed " << seed << ", step " << step;
      ASSERT_EQ(one.failures, other.failures) << "seed " << seed << ", step " << step;
      ASSERT_EQ(one.slow, other.slow) << "seed " << seed << ", step " << step;
      ASSERT_EQ(one.opened, other.opened) << "seed " << seed << ", step " << step;
    }
  }
  EXPECT_GT(left_out, 2000) << "the short way was hardly taken";
}

TEST(BreakerProperty, can_never_stick) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    std::uint64_t state = seed;
    const BreakerOptions options = random_options(state);
    const auto breaker = Breaker::make(options).value();
    Instant now(1h);
    std::deque<Permit> held;  // some report late, some are dropped late, some not before the very end
    for (int step = 0; step < 600; ++step) {
      switch (split_mix(state) % 9) {
        case 0:
        case 1:
        case 2:
          if (auto permit = breaker->acquire(now)) held.push_back(std::move(*permit));
          break;
        case 3:
        case 4:
          if (!held.empty()) {
            Permit& permit = split_mix(state) % 2 == 0 ? held.front() : held.back();
            permit.report(static_cast<OutcomeClass>(split_mix(state) % 6), Duration(split_mix(state) % 2'000'000'000),
                          now);
            if (&permit == &held.front())
              held.pop_front();
            else
              held.pop_back();
          }
          break;
        case 5:
          if (!held.empty()) held.pop_back();
          break;
        case 6: now += Duration(split_mix(state) % 2'000'000'000); break;
        case 8:
          if (split_mix(state) % 20 == 0) breaker->reset();
          breaker->set_override(
              split_mix(state) % 4 == 0 ? static_cast<Override>(split_mix(state) % 4) : Override::none, now);
          break;
        case 7: now += Duration(split_mix(state) % 1000); break;
      }
    }
    breaker->set_override(Override::none, now);
    ASSERT_GE(calls_until_closed(*breaker, now), 0) << "seed " << seed << ", with " << held.size() << " lost permits";
  }
}

TEST(BreakerProperty, a_late_report_of_an_earlier_period_changes_nothing) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::uint64_t state = seed;
    BreakerOptions options = random_options(state);
    options.window = WindowKind::calls;
    options.failure_rate = 1;
    options.min_calls = options.calls;
    const auto breaker = Breaker::make(options).value();
    Instant now(1h);
    std::vector<Permit> late;
    for (int i = 0; i < 50; ++i) late.push_back(breaker->acquire(now).value());
    for (int i = 0; i < options.calls; ++i) breaker->acquire(now)->report(OutcomeClass::timeout, 1ms, now);
    ASSERT_EQ(breaker->snapshot(now).state, State::open) << seed;
    const auto report_some = [&] {
      for (int i = 0; i < 5; ++i) {
        late.back().report(split_mix(state) % 2 == 0 ? OutcomeClass::timeout : OutcomeClass::success, 1ms, now);
        late.pop_back();
      }
    };
    report_some();
    ASSERT_EQ(breaker->snapshot(now).state, State::open) << seed;
    now += options.open_for;
    std::optional<Permit> probe(breaker->acquire(now).value());
    report_some();
    ASSERT_EQ(breaker->snapshot(now).state, State::half_open) << seed;
    ASSERT_EQ(breaker->snapshot(now).calls, 0) << "of a probe only; seed " << seed;
    probe->report(OutcomeClass::success, 1ms, now);
    for (int i = 1; i < options.half_open_calls; ++i) breaker->acquire(now)->report(OutcomeClass::success, 1ms, now);
    ASSERT_EQ(breaker->snapshot(now).state, State::closed) << seed;
    report_some();
    ASSERT_EQ(breaker->snapshot(now).calls, 0) << "closed again, and nothing of the old time counts; seed " << seed;
  }
}

TEST(BreakerProperty, half_open_permits_are_exact_under_contention) {
  for (int round = 0; round < 50; ++round) {
    const auto breaker =
        Breaker::make({.name = "db", .calls = 1, .min_calls = 1, .open_for = 1s, .half_open_calls = 7}).value();
    breaker->acquire(Instant(1h))->report(OutcomeClass::timeout, 1ms, Instant(1h));
    std::atomic<int> granted{0};
    std::vector<std::vector<Permit>> kept(4);
    {
      std::vector<std::jthread> threads;
      for (auto& mine : kept)
        threads.emplace_back([&] {
          for (int i = 0; i < 200; ++i)
            if (auto permit = breaker->acquire(Instant(1h) + 1s)) {
              granted.fetch_add(1);
              mine.push_back(std::move(*permit));
            }
        });
    }
    EXPECT_EQ(granted.load(), 7) << "granted == allowed";
    // A place that is given back may be taken again, once.
    for (auto& mine : kept)
      if (!mine.empty()) {
        mine.pop_back();
        break;
      }
    auto again = breaker->acquire(Instant(1h) + 1s);
    EXPECT_TRUE(again.has_value());
    EXPECT_FALSE(breaker->acquire(Instant(1h) + 1s).has_value());
  }
}

}  // namespace
}  // namespace serin::breaker
