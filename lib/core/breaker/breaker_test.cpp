// Goal: it opens when it should and never before, can never stick, and lets exactly so many through. Method: instants
// by hand; permits that are dropped, late, or raced for.
#include "serin/breaker/breaker.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace serin::breaker {
namespace {

const Instant t0 = Instant(1h);

std::unique_ptr<Breaker> breaker(BreakerOptions options) {
  options.name = "db";
  return Breaker::make(std::move(options)).value();
}
void call(Breaker& b, OutcomeClass outcome, Instant now, Duration took = 1ms) {
  Result<Permit> permit = b.acquire(now);
  ASSERT_TRUE(permit) << permit.error().text();
  permit->report(outcome, took, now);
}
State state_of(const Breaker& b, Instant now = t0) { return b.snapshot(now).state; }

TEST(Breaker, opens_at_the_rate_and_not_below_min_calls) {
  auto b = breaker({.calls = 10, .min_calls = 4, .failure_rate = 0.5});
  for (int i = 0; i < 3; ++i) call(*b, OutcomeClass::transient, t0);
  EXPECT_EQ(state_of(*b), State::closed) << "three calls are too few to judge";
  call(*b, OutcomeClass::success, t0);
  EXPECT_EQ(state_of(*b), State::open) << "3 of 4, and it is looked at after every call";
  EXPECT_EQ(b->acquire(t0).error().code(), Errc::rejected);
  EXPECT_EQ(b->snapshot(t0).rejected, 1);
}

TEST(Breaker, forgets_what_is_out_of_the_window) {
  auto by_calls = breaker({.calls = 4, .min_calls = 4, .failure_rate = 0.75});
  for (const OutcomeClass o :
       {OutcomeClass::transient, OutcomeClass::transient, OutcomeClass::success, OutcomeClass::success,
        OutcomeClass::transient, OutcomeClass::success, OutcomeClass::transient})
    call(*by_calls, o, t0);
  EXPECT_EQ(state_of(*by_calls), State::closed);
  auto by_time = breaker({.window = WindowKind::time, .length = 10s, .buckets = 10, .min_calls = 4});
  for (int i = 0; i < 3; ++i) call(*by_time, OutcomeClass::timeout, t0 + i * 1s);
  call(*by_time, OutcomeClass::timeout, t0 + 11s);
  EXPECT_EQ(by_time->snapshot(t0 + 11s).calls, 2) << "the first two seconds are gone";
  EXPECT_EQ(by_time->snapshot(t0 + 10h).calls, 0);
}

TEST(Breaker, counts_failures_in_a_row_when_told_to) {
  auto b = breaker({.window = WindowKind::consecutive, .calls = 3});
  for (const OutcomeClass o : {OutcomeClass::transient, OutcomeClass::transient, OutcomeClass::permanent,
                               OutcomeClass::transient, OutcomeClass::transient})
    call(*b, o, t0);
  EXPECT_EQ(state_of(*b), State::closed) << "permanent means that the peer answered";
  call(*b, OutcomeClass::timeout, t0);
  EXPECT_EQ(state_of(*b), State::open);
}

TEST(Breaker, opens_on_slow_calls_that_succeed) {
  auto b = breaker({.calls = 10, .min_calls = 5, .slow_rate = 0.6, .slow_call = 2s});
  for (int i = 0; i < 4; ++i) call(*b, OutcomeClass::success, t0, 2s);
  call(*b, OutcomeClass::success, t0, 1s);
  EXPECT_EQ(state_of(*b), State::open);
}

TEST(Breaker, ignores_what_says_nothing_and_throttling_is_no_failure) {
  auto b = breaker({.calls = 2, .min_calls = 2});
  for (int i = 0; i < 10; ++i) call(*b, OutcomeClass::ignored, t0);
  EXPECT_EQ(b->snapshot(t0).calls, 0);
  for (int i = 0; i < 10; ++i) call(*b, OutcomeClass::throttled, t0);
  EXPECT_EQ(state_of(*b), State::closed);
}

std::unique_ptr<Breaker> half_open(int calls, Instant& now) {
  auto b = breaker({.calls = 1, .min_calls = 1, .open_for = 5s, .half_open_calls = calls, .half_open_lease = 30s});
  call(*b, OutcomeClass::transient, t0);
  now = t0 + 5s;
  return b;
}

TEST(Breaker, stays_open_to_the_nanosecond_and_then_lets_so_many_through) {
  Instant now;
  auto b = half_open(3, now);
  EXPECT_FALSE(b->acquire(now - 1ns).has_value());
  std::vector<Permit> permits;
  for (int i = 0; i < 3; ++i) permits.push_back(std::move(b->acquire(now).value()));
  EXPECT_EQ(b->acquire(now).error().code(), Errc::rejected) << "the fourth";
  for (Permit& permit : permits) permit.report(OutcomeClass::success, 1ms, now);
  EXPECT_EQ(state_of(*b, now), State::closed);
}

TEST(Breaker, opens_for_longer_each_time_it_is_not_better) {
  Instant now;
  auto b = half_open(1, now);
  for (const Duration open_for : {Duration(10s), Duration(20s), Duration(40s), Duration(60s), Duration(60s)}) {
    call(*b, OutcomeClass::transient, now);
    EXPECT_EQ(b->snapshot(now).opens_again_in, open_for);
    now += open_for;
  }
  call(*b, OutcomeClass::success, now);
  EXPECT_EQ(state_of(*b, now), State::closed);
  call(*b, OutcomeClass::transient, now);
  EXPECT_EQ(b->snapshot(now).opens_again_in, 5s) << "it was closed in between";
}

TEST(Breaker, cannot_stick_half_open) {
  Instant now;
  auto b = half_open(2, now);
  for (int i = 0; i < 100; ++i) {
    const Result<Permit> dropped = b->acquire(now);
    ASSERT_TRUE(dropped) << "one that is dropped without a report gives its place back";
  }
  std::vector<Permit> lost;
  for (int i = 0; i < 2; ++i) lost.push_back(std::move(b->acquire(now).value()));
  EXPECT_FALSE(b->acquire(now + 29s).has_value());
  now += 30s;
  for (int i = 0; i < 2; ++i) call(*b, OutcomeClass::success, now);
  EXPECT_EQ(state_of(*b, now), State::closed) << "two that never reported were given up";
  for (Permit& permit : lost) permit.report(OutcomeClass::transient, 1ms, now);
  EXPECT_EQ(b->snapshot(now).calls, 0) << "what a call of an earlier period says late is ignored";
}

TEST(Breaker, does_as_a_person_says) {
  auto b = breaker({.calls = 1, .min_calls = 1});
  b->set_override(Override::forced_open, t0);
  EXPECT_FALSE(b->acquire(t0).has_value());
  b->set_override(Override::metrics_only, t0);
  for (int i = 0; i < 5; ++i) call(*b, OutcomeClass::transient, t0);
  EXPECT_EQ(b->snapshot(t0).failures, 1);
  b->set_override(Override::disabled, t0);
  call(*b, OutcomeClass::transient, t0);
  b->set_override(Override::none, t0);
  EXPECT_EQ(state_of(*b), State::closed);
  call(*b, OutcomeClass::transient, t0);
  EXPECT_EQ(state_of(*b), State::open);
  b->reset();
  EXPECT_EQ(state_of(*b), State::closed);
}

TEST(Breaker, lets_exactly_so_many_through_under_threads) {
  Instant now;
  auto b = half_open(10, now);
  std::atomic<int> granted = 0;
  std::vector<std::vector<Permit>> held(4);
  {
    std::vector<std::jthread> threads;
    for (std::vector<Permit>& mine : held)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i)
          if (Result<Permit> permit = b->acquire(now)) {
            ++granted;
            mine.push_back(std::move(*permit));
          }
      });
  }
  EXPECT_EQ(granted, 10);
}

TEST(Breaker, that_makes_no_sense_is_refused_with_the_field) {
  const auto error_of = [](BreakerOptions options) {
    options.name = "db";
    return Breaker::make(std::move(options)).error().detail();
  };
  EXPECT_EQ(error_of({.failure_rate = 1.2}), "breaker 'db': failure_rate must be above 0 and at most 1, not 1.2");
  EXPECT_EQ(error_of({.calls = 10, .min_calls = 11}),
            "breaker 'db': min_calls must be from 1 to calls, the window's size, not 11");
  EXPECT_EQ(error_of({.open_for = 5s, .open_most = 1s}), "breaker 'db': open_most must be open_for or more, not 1s");
  EXPECT_EQ(Breaker::make({}).error().detail(), "breaker: name must not be empty");
}

TEST(Breaker, tells_its_listener_every_change_outside_its_lock) {
  auto breaker = Breaker::make({.name = "db", .calls = 2, .min_calls = 2, .half_open_calls = 1}).value();
  std::string heard;
  Instant now(1h);
  breaker->on_change([&](State from, State to) {
    heard += std::string(state_name(from)) + ">" + std::string(state_name(to)) + " ";
    EXPECT_EQ(breaker->snapshot(now).state, to) << "it may ask: the lock is free";
  });
  for (int i = 0; i < 2; ++i) breaker->acquire(now)->report(OutcomeClass::transient, 1ms, now);
  now += 1min;
  breaker->acquire(now)->report(OutcomeClass::success, 1ms, now);
  breaker->reset();
  EXPECT_EQ(heard, "closed>open open>half_open half_open>closed ") << "and a reset that changes nothing is none";
}

}  // namespace
}  // namespace serin::breaker
