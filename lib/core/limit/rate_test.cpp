// Goal: the rate in the long run and the burst after a pause are exact, also when threads race. Method: time by hand.
#include "serin/limit/rate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace serin::limit {
namespace {

const Instant t0 = Instant(1h);

std::unique_ptr<RateLimit> limit(double rate, double burst) {
  return RateLimit::make({.name = "api", .rate = rate, .burst = burst}).value();
}

TEST(RateLimit, allows_the_burst_then_one_an_interval_and_says_how_long_to_wait) {
  auto api = limit(10, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(api->take(t0), std::nullopt);
  EXPECT_EQ(api->take(t0), Duration(100ms));
  EXPECT_EQ(api->take(t0 + 99ms), Duration(1ms));
  EXPECT_EQ(api->take(t0 + 100ms), std::nullopt);
  EXPECT_NEAR(api->left(t0 + 100ms), 0, 1e-9);
  EXPECT_NEAR(api->left(t0 + 1h), 3, 1e-9) << "a pause saves up the burst and no more";
}

TEST(RateLimit, holds_over_a_long_time_whatever_the_pace) {
  auto api = limit(100, 10);
  int granted = 0;
  for (int i = 0; i < 60'000; ++i)
    if (!api->take(t0 + i * 1ms)) ++granted;
  EXPECT_NEAR(granted, 6000 + 10, 2);
  EXPECT_EQ(limit(100, 10)->take(t0, 11), Duration(10ms)) << "more at once than a burst never fits";
}

TEST(RateLimit, is_exact_under_threads) {
  auto api = limit(1, 1000);
  std::atomic<int> granted = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 5000; ++j)
          if (!api->take(t0)) ++granted;
      });
  }
  EXPECT_EQ(granted, 1000);
}

TEST(RateLimit, that_makes_no_sense_is_refused_with_the_field) {
  EXPECT_EQ(RateLimit::make({.name = "api", .rate = 0}).error().detail(),
            "rate 'api': rate must be above 0 and at most 1e9 a second, not 0");
  EXPECT_EQ(RateLimit::make({.name = "api", .burst = 0.5}).error().detail(),
            "rate 'api': burst must be from 1 to 1000000, not 0.5");
}

}  // namespace
}  // namespace serin::limit
