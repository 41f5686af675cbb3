// Goal: calls wait for their turn inside a pipeline, by each kind of rate, and not past their deadline. Method: fake
// time.
#include "serin/guard/pacing.hpp"

#include <gtest/gtest.h>

#include "serin/guard/pipeline.hpp"
#include "serin/guard/timeouts.hpp"
#include "serin/limit/token_bucket.hpp"
#include "serin/sim/world.hpp"

namespace serin::guard {
namespace {

struct PacedCall : testing::Test {
  Context context(Duration within = 1h) {
    return {.sleeper = world.sleeper(), .random = world.random(), .deadline = Deadline::after(world.now(), within)};
  }
  sim::World world;
};

TEST_F(PacedCall, waits_by_either_form_of_a_rate) {
  const auto bucket = limit::TokenBucket::make({.name = "api", .rate = 10, .burst = 1}).value();
  const auto gcra = limit::RateLimit::make({.name = "api", .rate = 10, .burst = 1}).value();
  const auto work = [](const Context&) -> Result<int> { return 1; };
  const auto by_bucket = pipeline(Paced{*bucket});
  const auto by_gcra = pipeline(Paced{*gcra});
  for (int form = 0; form < 2; ++form) {
    const Instant began = world.now();
    for (int i = 0; i < 5; ++i)
      EXPECT_TRUE((form == 0 ? by_bucket.run(context(), work) : by_gcra.run(context(), work)).has_value());
    EXPECT_EQ(world.now() - began, 400ms) << "one at once, four after 100 ms each";
    const Result<int> late = form == 0 ? by_bucket.run(context(50ms), work) : by_gcra.run(context(50ms), work);
    EXPECT_EQ(late.error().code(), Errc::rejected);
  }
}

TEST_F(PacedCall, sends_slower_to_a_peer_that_says_later) {
  const auto rate = limit::SendRate::make({.name = "api"}).value();
  const auto guarded = pipeline(Sending{*rate});
  int calls = 0;
  for (int i = 0; i < 100; ++i) {
    const Result<int> result = guarded.run(context(), [&](const Context& inner) -> Result<int> {
      (void)inner.sleeper.sleep_for(10ms);
      if (++calls % 10 == 0) return fail(Errc::exhausted, "later");
      return calls;
    });
    EXPECT_EQ(result.has_value(), calls % 10 != 0);
  }
  EXPECT_GT(world.now() - Instant{}, 10s) << "ten cuts in a row, against 1 s without any";
  EXPECT_TRUE(rate->snapshot(world.now()).limited);
}

TEST_F(PacedCall, takes_its_two_times_from_one_checked_constant) {
  static constexpr Timeouts timeouts = checked(Timeouts{.total = 3s, .attempt = 800ms});
  const auto guarded = pipeline(timeouts.deadline(), timeouts.attempt_timeout());
  const Instant now = world.now();
  EXPECT_EQ(guarded.run(context(), [&](const Context& inner) -> Result<Duration> { return inner.deadline.left(now); })
                .value(),
            800ms);
  EXPECT_EQ(wrongs(Timeouts{.total = 1s, .attempt = 2s}).status("").error().detail(),
            "attempt must be at most the total deadline, not 2s");
}

}  // namespace
}  // namespace serin::guard
