// Goal: a crowd never makes more retries than its budget allows, exactly, also when threads race. Method: count grants.
#include "serin/retry/budget.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace serin::retry {
namespace {

TEST(TokenBudget, allows_a_share_of_the_calls_and_a_small_start) {
  TokenBudget budget({.ratio = 0.1, .most = 10});
  int granted = 0;
  for (int call = 0; call < 1000; ++call) {
    budget.on_call();
    for (int retry = 0; retry < 3; ++retry) granted += budget.try_retry(false) ? 1 : 0;
  }
  EXPECT_NEAR(granted, 10 + 100, 1) << "1000 calls at 10 %, and the ten it started with";
  EXPECT_LT(budget.left(), 0.2);
}

TEST(TokenBudget, is_exact_under_threads) {
  TokenBudget budget({.ratio = 1, .most = 1000});
  std::atomic<int> granted = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 5000; ++j)
          if (budget.try_retry(false)) ++granted;
      });
  }
  EXPECT_EQ(granted, 1000);
}

TEST(InFlightBudget, bounds_what_runs_at_the_same_time) {
  InFlightBudget budget({.ratio = 0.2, .min_retries = 3});
  for (int i = 0; i < 100; ++i) budget.on_call();
  int granted = 0;
  while (budget.try_retry(false)) ++granted;
  EXPECT_EQ(granted, 20);
  budget.on_retry_end(false);
  EXPECT_TRUE(budget.try_retry(false)) << "one ended, one may begin";
  for (int i = 0; i < 100; ++i) budget.on_call_end(false);
  for (int i = 0; i < 20; ++i) budget.on_retry_end(true);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.try_retry(false)) << "the minimum, without any call";
  EXPECT_FALSE(budget.try_retry(false));
}

TEST(Quota, takes_more_for_timeouts_and_gives_back_what_succeeded) {
  Quota quota({.most = 20, .cost = 5, .cost_of_timeout = 10});
  EXPECT_TRUE(quota.try_retry(true));
  EXPECT_TRUE(quota.try_retry(true));
  EXPECT_FALSE(quota.try_retry(false)) << "empty";
  quota.on_retry_end(true);
  EXPECT_TRUE(quota.try_retry(false));
  for (int i = 0; i < 5; ++i) quota.on_call_end(true);
  EXPECT_TRUE(quota.try_retry(false)) << "five calls that succeeded at once";
}

TEST(Budget, that_makes_no_sense_is_refused_with_the_field) {
  EXPECT_EQ(TokenBudget::check({.ratio = 0}).error().detail(), "budget.ratio must be from 1e-06 to 1, not 0");
  EXPECT_FALSE(TokenBudget::check({.ratio = 1.5}).has_value());
  EXPECT_FALSE(InFlightBudget::check({.min_retries = -1}).has_value());
  EXPECT_FALSE(Quota::check({.most = 4, .cost = 5}).has_value());
}

}  // namespace
}  // namespace serin::retry
