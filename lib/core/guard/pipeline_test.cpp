// Goal: the elements act in their order, on fake time, and cost no allocation when all is well. Method: a peer that
// fails as told; a counting operator new.
#include "serin/guard/pipeline.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <stop_token>
#include <string>

#include "serin/guard/recorders.hpp"
#include "serin/sim/world.hpp"

namespace {
std::atomic<std::int64_t> allocations = 0;
}
// ThreadSanitizer brings its own; there, nothing is counted. (The tsan preset says so to clang, which would not.)
#if !defined(__SANITIZE_THREAD__)
// Counts every allocation of this program; the memory comes from malloc as before.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace serin::guard {
namespace {

struct GuardedCall : testing::Test {
  Context context(Duration within = 1h) {
    return {.sleeper = world.sleeper(),
            .random = world.random(),
            .deadline = Deadline::after(world.now(), within),
            .idempotency = Idempotency::idempotent};
  }
  sim::World world;
  retry::Retry policy =
      retry::Retry::make({.max_attempts = 3, .backoff = {.first = 100ms, .jitter = retry::Jitter::none}}).value();
  retry::TokenBudget budget{};
  std::unique_ptr<breaker::Breaker> breaker =
      breaker::Breaker::make({.name = "db", .calls = 4, .min_calls = 4}).value();
  std::unique_ptr<limit::Bulkhead> bulkhead = limit::Bulkhead::make({.name = "db", .most = 2}).value();
  std::unique_ptr<limit::RateLimit> rate = limit::RateLimit::make({.name = "db", .rate = 10, .burst = 1}).value();
};

TEST_F(GuardedCall, a_call_passes_through_all_elements_and_each_attempt_has_its_own_deadline) {
  const auto guarded = pipeline(TotalDeadline{3s}, Retrying{policy, budget}, Breaking{*breaker}, Bounded{*bulkhead},
                                AttemptTimeout{800ms});
  std::vector<std::pair<int, Duration>> seen;
  const Result<int> result = guarded.run(context(), [&](const Context& c) -> Result<int> {
    seen.emplace_back(c.attempt, c.deadline.left(world.now()));
    if (c.attempt < 3) return fail(Errc::unavailable, "no");
    return 42;
  });
  EXPECT_EQ(result.value(), 42);
  EXPECT_EQ(seen, (std::vector<std::pair<int, Duration>>{{1, 800ms}, {2, 800ms}, {3, 800ms}}));
  EXPECT_EQ(breaker->snapshot(world.now()).failures, 2) << "the breaker is inside: it saw every attempt";
  EXPECT_EQ(bulkhead->snapshot().inside, 0);
}

TEST_F(GuardedCall, an_open_breaker_keeps_calls_away_and_the_fallback_answers) {
  const auto guarded = pipeline(Fallback{[](const Error& error) -> Result<std::string> {
                                  return "cached, because " + error.detail().substr(0, 12);
                                }},
                                Breaking{*breaker});
  int made = 0;
  for (int i = 0; i < 10; ++i) {
    const Result<std::string> answer = guarded.run(context(), [&](const Context&) -> Result<std::string> {
      ++made;
      return fail(Errc::unavailable, "connect: refused");
    });
    EXPECT_TRUE(answer->starts_with("cached")) << *answer;
  }
  EXPECT_EQ(made, 4) << "then it was open";
}

TEST_F(GuardedCall, a_paced_call_waits_for_its_turn_but_not_past_the_deadline) {
  const auto guarded = pipeline(Paced{*rate});
  const auto work = [&](const Context&) -> Result<Duration> { return world.now() - Instant(1h); };
  EXPECT_EQ(guarded.run(context(), work).value(), 0s);
  EXPECT_EQ(guarded.run(context(), work).value(), 100ms);
  EXPECT_EQ(guarded.run(context(50ms), work).error().code(), Errc::rejected);
}

TEST_F(GuardedCall, chaos_is_met_by_all_other_elements) {
  ChaosOptions options{.fault_rate = 1};
  const auto guarded = pipeline(Retrying{policy, budget}, Breaking{*breaker}, Chaos{options});
  const auto work = [](const Context&) -> Result<int> { return 1; };
  EXPECT_FALSE(guarded.run(context(), work).has_value());
  EXPECT_EQ(breaker->snapshot(world.now()).failures, 3);
  breaker->reset();
  options = {.latency_rate = 1, .latency = 2s};
  const Instant began = world.now();
  EXPECT_TRUE(guarded.run(context(), work).has_value());
  EXPECT_EQ(world.now() - began, 2s);
  EXPECT_EQ(guarded.run(context(1s), work).error().code(), Errc::deadline_exceeded);
}

TEST_F(GuardedCall, chaos_may_change_the_outcome_do_something_first_and_spare_whom_it_is_told_to) {
  int restarts = 0;
  ChaosOptions options{.outcome_rate = 1,
                       .behaviour_rate = 1,
                       .behaviour = [&]() -> Status {
                         ++restarts;
                         return {};
                       },
                       .when = [](std::string_view target, int) { return target == "db"; }};
  const auto guarded = pipeline(Chaos{options, []() -> Result<int> { return 13; }});
  int made = 0;
  const auto work = [&](const Context&) -> Result<int> {
    ++made;
    return 1;
  };
  Context given = context();
  given.target = "db";
  EXPECT_EQ(guarded.run(given, work).value(), 13);
  EXPECT_EQ(made, 0) << "the other answer is instead of the call";
  EXPECT_EQ(restarts, 1);
  given.target = "other";
  EXPECT_EQ(guarded.run(given, work).value(), 1);
  options = {.behaviour_rate = 1, .behaviour = []() -> Status { return fail(Errc::data_loss, "broken on purpose"); }};
  EXPECT_EQ(guarded.run(given, work).error().code(), Errc::data_loss);
  options = {.fault_rate = 0.25};
  int faults = 0;
  for (int i = 0; i < 4000; ++i) faults += guarded.run(given, work) ? 0 : 1;
  EXPECT_NEAR(faults, 1000, 120);
}

TEST_F(GuardedCall, waits_as_long_as_the_peer_asked_and_not_past_the_deadline) {
  const auto guarded = pipeline(Retrying{policy, budget}, Breaking{*breaker});
  const auto work = [&](const Context& c) -> Result<int> {
    if (c.attempt == 2) return 7;
    c.ask_later(3s);
    return fail(Errc::exhausted, "later");
  };
  const Instant began = world.now();
  EXPECT_EQ(guarded.run(context(), work).value(), 7);
  EXPECT_GE(world.now() - began, 3s) << "never early";
  EXPECT_LE(world.now() - began, 4500ms) << "spread over half of it";
  const Instant again = world.now();
  EXPECT_EQ(guarded.run(context(2s), work).error().code(), Errc::exhausted);
  EXPECT_EQ(world.now(), again) << "no wait that could not be finished";
}

TEST_F(GuardedCall, a_throttled_peer_is_spared) {
  auto throttle = limit::Throttle::make({.name = "api"}).value();
  const auto guarded = pipeline(Throttled{*throttle});
  int made = 0;
  for (int i = 0; i < 1000; ++i) {
    const Result<int> result = guarded.run(context(), [&](const Context&) -> Result<int> {
      ++made;
      return fail(Errc::exhausted, "later");
    });
    EXPECT_FALSE(result.has_value());
  }
  EXPECT_LT(made, 200);
  EXPECT_GT(made, 50);
}

TEST_F(GuardedCall, success_through_five_elements_allocates_nothing) {
  auto open_rate = limit::RateLimit::make({.name = "db", .rate = 1e9, .burst = 1e6}).value();
  const auto guarded =
      pipeline(Paced{*open_rate}, TotalDeadline{10s}, Retrying{policy, budget}, Breaking{*breaker}, AttemptTimeout{1s});
  const Context given = context();
  const auto work = [](const Context&) -> Result<int> { return 1; };
  ASSERT_TRUE(guarded.run(given, work).has_value());
  const std::int64_t before = allocations;
  for (int i = 0; i < 1000; ++i)
    if (!guarded.run(given, work)) FAIL();
  EXPECT_EQ(allocations - before, 0);
}

/// The world's time, and how often it was read.
struct ReadsCounted final : Sleeper {
  explicit ReadsCounted(Sleeper& of) : inner(of) {}
  Instant now() const override {
    ++reads;
    return inner.now();
  }
  WallTime wall() const override { return inner.wall(); }
  Status sleep_until(Instant until) override { return inner.sleep_until(until); }
  Result<bool> wait(Event& event, Instant until) override { return inner.wait(event, until); }
  Sleeper& inner;
  mutable int reads = 0;
};

TEST_F(GuardedCall, the_clock_is_read_twice_an_attempt_and_never_from_before_a_wait) {
  ReadsCounted sleeper(world.sleeper());
  const auto guarded = pipeline(Paced{*rate}, TotalDeadline{10s}, Retrying{policy, budget}, Breaking{*breaker},
                                Bounded{*bulkhead}, AttemptTimeout{1s});
  const Context given{.sleeper = sleeper,
                      .random = world.random(),
                      .deadline = Deadline::never(),
                      .idempotency = Idempotency::idempotent};
  std::vector<Duration> left;
  const auto work = [&](const Context& c) -> Result<int> {
    left.push_back(c.deadline.left(world.now()));
    static_cast<void>(world.sleeper().sleep_for(300ms));
    if (c.attempt == 1) return fail(Errc::unavailable, "no");
    return 1;
  };
  const int before = sleeper.reads;
  ASSERT_TRUE(guarded.run(given, work).has_value());
  EXPECT_EQ(sleeper.reads - before, 4) << "two attempts";
  ASSERT_TRUE(guarded.run(given, work).has_value());
  EXPECT_EQ(left, (std::vector<Duration>{1s, 1s, 1s, 1s}))
      << "each attempt has all of its time, waits before it or not";
}

TEST_F(GuardedCall, an_observer_that_counts_and_a_stop_token_allocate_nothing_either) {
  metrics::Registry registry;
  TargetMetrics counted(registry, "db");
  const auto guarded =
      pipeline(TotalDeadline{10s}, Retrying{policy, budget}, Breaking{*breaker}, Bounded{*bulkhead}, AttemptTimeout{1s})
          .observed(MetricsObserver{counted});
  std::stop_source stop;
  Context given = context();
  given.stop = stop.get_token();
  const auto work = [](const Context&) -> Result<int> { return 1; };
  ASSERT_TRUE(guarded.run(given, work).has_value());
  const std::int64_t before = allocations;
  for (int i = 0; i < 1000; ++i)
    if (!guarded.run(given, work)) FAIL();
  EXPECT_EQ(allocations - before, 0);
  stop.request_stop();
  ASSERT_FALSE(guarded.run(given, work).has_value());
  const std::int64_t given_up = allocations;
  for (int i = 0; i < 1000; ++i)
    if (guarded.run(given, work)) FAIL();
  EXPECT_EQ(allocations - given_up, 0);
}

TEST_F(GuardedCall, a_refusal_by_breaker_or_bulkhead_allocates_nothing) {
  const auto guarded = pipeline(Breaking{*breaker}, Bounded{*bulkhead});
  const Context given = context();
  const auto work = [](const Context&) -> Result<int> { return 1; };
  const auto first = bulkhead->try_enter();
  const auto second = bulkhead->try_enter();
  const std::int64_t before = allocations;
  for (int i = 0; i < 1000; ++i)
    if (guarded.run(given, work)) FAIL() << "the bulkhead is full";
  breaker->set_override(breaker::Override::forced_open, world.now());
  for (int i = 0; i < 1000; ++i)
    if (guarded.run(given, work)) FAIL() << "the breaker is open";
  EXPECT_EQ(allocations - before, 0);
}

}  // namespace
}  // namespace serin::guard
