// Goal: waits grow as said, never beyond the cap, never overflow, and no jitter but the one named for it piles up on
// the cap. Method: uniform draws by hand; a statistic over a long outage.
#include "serin/retry/backoff.hpp"

#include <gtest/gtest.h>

namespace serin::retry {
namespace {

constexpr std::uint64_t lowest = 0;
constexpr std::uint64_t highest = ~std::uint64_t{0};

Backoff backoff(BackoffOptions options) { return Backoff::make(std::move(options)).value(); }

TEST(Ceiling, grows_by_shape_up_to_the_cap_at_any_number_of_failures) {
  EXPECT_EQ(backoff({}).ceiling(1), 100ms);
  EXPECT_EQ(backoff({}).ceiling(4), 800ms);
  EXPECT_EQ(backoff({}).ceiling(9), 20s);
  EXPECT_EQ(backoff({}).ceiling(1'000'000'000), 20s) << "no overflow";
  EXPECT_EQ(backoff({.most = Duration::max()}).ceiling(2000), Duration::max());
  EXPECT_EQ(backoff({.shape = Shape::constant}).ceiling(50), 100ms);
  EXPECT_EQ(backoff({.shape = Shape::linear}).ceiling(3), 300ms);
  const Backoff steps = backoff({.shape = Shape::sequence, .sequence = {1ms, 5ms, 40s}});
  EXPECT_EQ(steps.ceiling(2), 5ms);
  EXPECT_EQ(steps.ceiling(7), 20s) << "the last repeats, below the cap";
  EXPECT_EQ(backoff({.shape = Shape::function, .function = [](int n) -> Duration { return n * 7ms; }}).ceiling(3),
            21ms);
}

TEST(Wait, stays_within_its_jitters_range) {
  const auto range = [](Jitter jitter, int failures, Duration previous) {
    const Backoff b = backoff({.jitter = jitter});
    return std::pair{b.wait(failures, lowest, previous), b.wait(failures, highest, previous)};
  };
  EXPECT_EQ(range(Jitter::none, 3, 0s), std::pair(Duration(400ms), Duration(400ms)));
  EXPECT_EQ(range(Jitter::full, 3, 0s), std::pair(Duration(0ms), Duration(400ms)));
  EXPECT_EQ(range(Jitter::equal, 3, 0s), std::pair(Duration(200ms), Duration(400ms)));
  EXPECT_EQ(range(Jitter::decorrelated, 3, 1s), std::pair(Duration(100ms), Duration(3s)));
  EXPECT_EQ(range(Jitter::decorrelated, 3, 19s).second, 20s);
  EXPECT_EQ(range(Jitter::plus_minus, 3, 0s), std::pair(Duration(320ms), Duration(480ms)));
  EXPECT_EQ(range(Jitter::plus_minus, 30, 0s), std::pair(Duration(16s), Duration(20s))) << "still spread at the cap";
}

TEST(Wait, of_no_jitter_piles_up_on_the_cap_but_the_one_named_for_it) {
  for (const Jitter jitter :
       {Jitter::full, Jitter::equal, Jitter::decorrelated, Jitter::decorrelated_aws_blog, Jitter::plus_minus}) {
    const Backoff b = backoff({.first = 5ms, .most = 2s, .jitter = jitter});
    std::uint64_t state = 7;
    int at_cap = 0;
    constexpr int draws = 20'000;
    Duration previous{};
    for (int i = 0; i < draws; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      previous = b.wait(20 + i, state, previous);
      ASSERT_LE(previous, 2s) << jitter_name(jitter);
      at_cap += previous == 2s ? 1 : 0;
    }
    if (jitter == Jitter::decorrelated_aws_blog)
      EXPECT_NEAR(at_cap / double{draws}, 0.27, 0.02) << "the published form, as measured by others";
    else
      EXPECT_LT(at_cap, 5) << jitter_name(jitter);
  }
}

TEST(Backoff, that_makes_no_sense_is_refused_with_the_field) {
  const auto error_of = [](BackoffOptions options) { return Backoff::make(std::move(options)).error().detail(); };
  EXPECT_EQ(error_of({.first = 0s}), "backoff.first must be above 0, not 0ns");
  EXPECT_EQ(error_of({.most = 50ms}), "backoff.most must be backoff.first or more, not 50ms");
  EXPECT_EQ(error_of({.factor = 0.5}), "backoff.factor must be from 1 to 1000000, not 0.5");
  EXPECT_EQ(error_of({.jitter = Jitter::plus_minus, .plus_minus = 1}),
            "backoff.plus_minus must be above 0 and below 1, not 1");
  EXPECT_EQ(error_of({.shape = Shape::sequence}), "backoff.sequence must name 1 to 16 waits");
  EXPECT_EQ(error_of({.shape = Shape::function}), "backoff.function must not be empty");
}

}  // namespace
}  // namespace serin::retry
