// Goal: a call may be given up at any moment, and everything that it took is back afterwards. Method: count every point
// at which a pipeline touches the outside (the clock, a sleep, a wait, a random number, the work's beginning and end),
// then repeat the same call and request the stop at the first, the second, ... the last of them.
#include <gtest/gtest.h>

#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "serin/guard/pipeline.hpp"
#include "serin/sim/crew.hpp"
#include "serin/sim/world.hpp"

namespace serin::guard {
namespace {

/// Counts the points and requests the stop at one of them.
struct Points {
  void pass() {
    if (++seen == stop_at) source.request_stop();
  }
  int stop_at = 0;  // 0: never
  int seen = 0;
  std::stop_source source = {};
};

struct CountingSleeper final : Sleeper {
  CountingSleeper(Sleeper& real, Points& counted) : inner(real), points(counted) {}
  Instant now() const override {
    points.pass();
    return inner.now();
  }
  WallTime wall() const override { return inner.wall(); }
  Status sleep_until(Instant until) override {
    points.pass();
    Status slept = inner.sleep_until(until);
    points.pass();
    return slept;
  }
  Result<bool> wait(Event& event, Instant until) override {
    points.pass();
    Result<bool> waited = inner.wait(event, until);
    points.pass();
    return waited;
  }
  Sleeper& inner;
  Points& points;
};

struct CountingRandom final : Random {
  explicit CountingRandom(Points& counted) : points(counted) {}
  std::uint64_t next() override {
    points.pass();
    return inner.next();
  }
  Points& points;
  sim::SeededRandom inner{1};
};

struct Cancelled : testing::Test {
  retry::Retry policy = retry::Retry::make({.max_attempts = 4, .backoff = {.first = 100ms}}).value();
  retry::InFlightBudget budget{{.ratio = 0.2, .min_retries = 3}};
  std::unique_ptr<breaker::Breaker> breaker =
      breaker::Breaker::make({.name = "db", .calls = 100, .min_calls = 100, .half_open_calls = 1}).value();
  std::unique_ptr<limit::Bulkhead> bulkhead =
      limit::Bulkhead::make({.name = "db", .most = 1, .most_waiting = 2}).value();
  std::unique_ptr<limit::RateLimit> rate = limit::RateLimit::make({.name = "db", .rate = 10, .burst = 1}).value();

  void expect_all_back(int stopped_at) {
    EXPECT_EQ(bulkhead->snapshot().inside, 0) << "stopped at point " << stopped_at;
    EXPECT_EQ(bulkhead->snapshot().waiting, 0) << "stopped at point " << stopped_at;
    EXPECT_EQ(budget.left(), 1) << "stopped at point " << stopped_at;
  }
};

TEST_F(Cancelled, at_every_single_point_of_a_pipeline_everything_is_back) {
  const auto guarded = pipeline(Paced{*rate}, TotalDeadline{10s}, Retrying{policy, budget}, Breaking{*breaker},
                                Bounded{*bulkhead}, AttemptTimeout{800ms});
  int points = 0;
  int cancelled = 0;
  for (int stop_at = 0; stop_at <= points; ++stop_at) {
    sim::World world;
    Points counted{.stop_at = stop_at};
    CountingSleeper sleeper(world.sleeper(), counted);
    CountingRandom random(counted);
    // Turns are due, and the only place is taken for a while, so that there is something to wait for everywhere.
    static_cast<void>(rate->take(world.now(), 1));
    std::optional<Result<limit::Place>> held(bulkhead->try_enter());
    world.at(world.now() + 150ms, [&] { held.reset(); });
    const auto work = [&](const Context& c) -> Result<int> {
      counted.pass();
      const Status slept = sleep_until(c.sleeper, c.sleeper.now() + 10ms, c.stop);
      counted.pass();
      if (!slept) return pass(slept.error());
      return fail(Errc::unavailable, "no");
    };
    const Result<int> result = guarded.run({.sleeper = sleeper,
                                            .random = random,
                                            .deadline = Deadline::after(world.now(), 1h),
                                            .idempotency = Idempotency::idempotent,
                                            .stop = counted.source.get_token()},
                                           work);
    ASSERT_FALSE(result.has_value());
    if (result.error().code() == Errc::cancelled) ++cancelled;
    if (stop_at == 0) points = counted.seen;
    held.reset();
    expect_all_back(stop_at);
    if (stop_at > 0) {
      // It ends soon after: less than a wait's worth of further points.
      EXPECT_LE(counted.seen, stop_at + 14) << "stopped at point " << stop_at;
    }
  }
  EXPECT_GT(points, 30) << "there was something to stop";
  EXPECT_GT(cancelled, points / 3) << "the others were stopped once an answer was there: then it is the result";
}

TEST_F(Cancelled, a_probe_that_is_given_up_anywhere_leaves_the_breaker_able_to_close) {
  int points = 0;
  for (int stop_at = 0; stop_at <= points; ++stop_at) {
    sim::World world;
    auto fresh = breaker::Breaker::make({.name = "db", .calls = 1, .min_calls = 1, .half_open_calls = 1}).value();
    fresh->acquire(world.now())->report(OutcomeClass::transient, 1ms, world.now());
    world.advance(1min);
    Points counted{.stop_at = stop_at};
    CountingSleeper sleeper(world.sleeper(), counted);
    CountingRandom random(counted);
    const auto guarded = pipeline(Breaking{*fresh}, Bounded{*bulkhead}, AttemptTimeout{800ms});
    const auto work = [&](const Context& c) -> Result<int> {
      SERIN_CHECK(sleep_until(c.sleeper, c.sleeper.now() + 10ms, c.stop));
      return 1;
    };
    const Context context{.sleeper = sleeper,
                          .random = random,
                          .deadline = Deadline::after(world.now(), 1h),
                          .stop = counted.source.get_token()};
    static_cast<void>(guarded.run(context, work));
    if (stop_at == 0) points = counted.seen;
    // Either it was reported, or its place is free again at once, without waiting for the lease.
    if (fresh->snapshot(world.now()).state == breaker::State::half_open) {
      EXPECT_TRUE(fresh->acquire(world.now()).has_value()) << "stopped at point " << stop_at;
    } else {
      EXPECT_EQ(fresh->snapshot(world.now()).state, breaker::State::closed) << "stopped at point " << stop_at;
    }
    expect_all_back(stop_at);
  }
  EXPECT_GT(points, 4);
}

TEST_F(Cancelled, a_race_of_hedges_given_up_at_every_single_point_ends_all_its_requests) {
  auto hedge = Hedge::make({.name = "db", .delay = 20ms, .max_extra = 2}).value();
  auto places = limit::Bulkhead::make({.name = "db", .most = 2, .most_waiting = 2}).value();
  const auto guarded =
      pipeline(Retrying{policy, budget}, Hedging{*hedge, budget}, Breaking{*breaker}, Bounded{*places});
  int points = 0;
  for (int stop_at = 0; stop_at <= points; ++stop_at) {
    sim::Crew crew;
    Points counted{.stop_at = stop_at};
    CountingSleeper sleeper(crew, counted);
    CountingRandom random(counted);
    const auto work = [&](const Context& c) -> Result<int> {
      SERIN_CHECK(sleep_until(c.sleeper, c.sleeper.now() + 50ms, c.stop));
      return fail(Errc::unavailable, "no");
    };
    EXPECT_FALSE(guarded
                     .run({.sleeper = sleeper,
                           .random = random,
                           .deadline = Deadline::never(),
                           .idempotency = Idempotency::idempotent,
                           .tasks = &crew,
                           .stop = counted.source.get_token()},
                          work)
                     .has_value());
    if (stop_at == 0) points = counted.seen;
    EXPECT_EQ(crew.running(), 0u) << "stopped at point " << stop_at;
    EXPECT_EQ(places->snapshot().inside, 0) << "stopped at point " << stop_at;
    expect_all_back(stop_at);
  }
  EXPECT_GT(points, 60);
}

}  // namespace
}  // namespace serin::guard
