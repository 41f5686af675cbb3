// Goal: a bucket lets through exactly what its rate and burst say, whoever asks. Method: fake time; the same questions
// to RateLimit; real threads.
#include "serin/limit/token_bucket.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "serin/base/split_mix.hpp"

namespace serin::limit {
namespace {

std::unique_ptr<TokenBucket> bucket(double rate, double burst) {
  return TokenBucket::make({.name = "api", .rate = rate, .burst = burst}).value();
}

TEST(TokenBucket, lets_a_burst_through_and_then_one_an_interval) {
  const auto limit = bucket(10, 3);
  Instant now(1h);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limit->take(now));
  const auto wait = limit->take(now);
  ASSERT_TRUE(wait);
  EXPECT_EQ(*wait, 100ms);
  EXPECT_TRUE(limit->take(now + *wait - 1ns)) << "never early";
  EXPECT_FALSE(limit->take(now + *wait)) << "what it says is enough: nobody has to ask again for the next nanosecond";
  EXPECT_FALSE(limit->take(now + 1h));
  EXPECT_DOUBLE_EQ(limit->left(now + 1h), 2);
}

TEST(TokenBucket, looking_often_loses_no_deposit) {
  const auto limit = bucket(0.5, 1);
  Instant now(1h);
  EXPECT_FALSE(limit->take(now));
  int granted = 0;
  for (int i = 0; i < 2'000'000; ++i) {
    now += 1us;
    granted += limit->take(now) ? 0 : 1;
  }
  EXPECT_EQ(granted, 1) << "two seconds at one in two";
}

TEST(TokenBucket, stays_exact_when_it_is_never_full_again) {
  const auto limit = bucket(1000, 10);
  Instant now(1h);
  std::int64_t granted = 0;
  for (int i = 0; i < 2'500'000; ++i) {
    granted += limit->take(now) ? 0 : 1;
    now += 900us;  // a little more often than is allowed
  }
  EXPECT_EQ(granted, 10 + 2'500'000 * 9 / 10 - 1);
}

TEST(TokenBucket, takes_back_what_was_not_used) {
  const auto limit = bucket(1, 2);
  const Instant now(1h);
  EXPECT_FALSE(limit->take(now, 2));
  EXPECT_TRUE(limit->take(now));
  limit->give_back(1);
  EXPECT_FALSE(limit->take(now));
  limit->give_back(100);
  EXPECT_DOUBLE_EQ(limit->left(now), 2) << "never more than its burst";
}

TEST(TokenBucket, answers_as_gcra_does) {
  // They are two forms of one limit. Rates whose interval is a whole number of nanoseconds, as GCRA rounds it.
  constexpr double rates[] = {10, 20, 25, 50, 100};
  std::uint64_t state = 7;
  for (int run = 0; run < 50; ++run) {
    const RateOptions options{
        .name = "api", .rate = rates[split_mix(state) % 5], .burst = static_cast<double>(1 + split_mix(state) % 20)};
    const auto one = TokenBucket::make(options).value();
    const auto other = RateLimit::make(options).value();
    Instant now(1h);
    for (int i = 0; i < 400; ++i) {
      now += Duration(split_mix(state) % 40 * 1'000'000 + 500'000);
      ASSERT_EQ(one->take(now).has_value(), other->take(now).has_value()) << options.rate << " " << options.burst;
    }
  }
}

TEST(TokenBucket, is_exact_under_threads) {
  const auto limit = bucket(1000, 500);
  std::atomic<int> granted{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 5000; ++i)
          if (!limit->take(Instant(1h) + Duration(i) * 100'000)) granted.fetch_add(1);
      });
  }
  // The clock of all of them ends at 1 h + 499.9 ms: 500 at first and 499 deposited since.
  EXPECT_LE(granted.load(), 999);
  while (!limit->take(Instant(1h) + 499'900us)) granted.fetch_add(1);
  EXPECT_EQ(granted.load(), 999);
}

TEST(TokenBucket, refuses_options_out_of_range) {
  EXPECT_EQ(TokenBucket::make({.name = "api", .rate = 0}).error().detail(),
            "rate 'api': rate must be above 0 and at most 1e9 a second, not 0");
}

}  // namespace
}  // namespace serin::limit
