// Goal: each form finds about what a peer can take, falls when it is overloaded, and does not grow while it is idle.
// Method: a peer of so many workers, whose calls take longer when more are sent than it has.
#include "serin/limit/adaptive.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace serin::limit {
namespace {

/// Sends as many as the limit lets through, again and again; a call takes 10 ms times the crowding of the peer.
double settle(AdaptiveLimit& limit, double workers, int rounds, double timeout_seconds = 1) {
  for (int round = 0; round < rounds; ++round) {
    std::vector<AdaptivePermit> permits;
    while (auto permit = limit.try_enter()) permits.push_back(std::move(*permit));
    const double crowding = std::max(1.0, static_cast<double>(permits.size()) / workers);
    const double seconds = 0.01 * crowding;
    for (AdaptivePermit& permit : permits)
      permit.report(seconds > timeout_seconds ? OutcomeClass::timeout : OutcomeClass::success,
                    duration_of_seconds(seconds));
  }
  return limit.snapshot().limit;
}

std::unique_ptr<AdaptiveLimit> make(Algorithm algorithm) {
  return AdaptiveLimit::make({.name = "db", .algorithm = algorithm, .most = 1000}).value();
}

TEST(AdaptiveLimit, finds_what_the_peer_takes_and_follows_when_that_shrinks) {
  for (const auto& [algorithm, timeout] : {std::pair{Algorithm::vegas, 1.0}, std::pair{Algorithm::aimd, 0.02}}) {
    auto limit = make(algorithm);
    const double wide = settle(*limit, 100, 400, timeout);
    EXPECT_GT(wide, 60) << algorithm_name(algorithm);
    EXPECT_LT(wide, 260) << algorithm_name(algorithm);
    const double narrow = settle(*limit, 20, 400, timeout);
    EXPECT_LT(narrow, wide * 0.75) << algorithm_name(algorithm);
  }
}

TEST(AdaptiveLimit, of_gradient2_falls_while_calls_take_longer_than_they_used_to) {
  auto limit = make(Algorithm::gradient2);
  for (int i = 0; i < 2000; ++i) {
    std::vector<AdaptivePermit> permits;
    while (auto permit = limit->try_enter()) permits.push_back(std::move(*permit));
    for (AdaptivePermit& permit : permits) permit.report(OutcomeClass::success, 10ms);
    if (limit->snapshot().limit >= 100) break;
  }
  const double before = limit->snapshot().limit;
  ASSERT_GE(before, 100);
  for (int round = 0; round < 10; ++round) {
    std::vector<AdaptivePermit> permits;
    while (auto permit = limit->try_enter()) permits.push_back(std::move(*permit));
    for (AdaptivePermit& permit : permits) permit.report(OutcomeClass::success, 100ms);
  }
  EXPECT_LT(limit->snapshot().limit, before * 0.6);
}

TEST(AdaptiveLimit, does_not_grow_while_nobody_uses_it_and_gives_places_back) {
  for (const Algorithm algorithm : {Algorithm::aimd, Algorithm::vegas, Algorithm::gradient2}) {
    auto limit = make(algorithm);
    for (int i = 0; i < 5000; ++i) limit->try_enter()->report(OutcomeClass::success, 10ms);
    EXPECT_LE(limit->snapshot().limit, 20) << algorithm_name(algorithm);
    for (int i = 0; i < 100; ++i) static_cast<void>(limit->try_enter());
    EXPECT_EQ(limit->snapshot().in_flight, 0) << algorithm_name(algorithm);
  }
}

TEST(AdaptiveLimit, falls_at_once_when_the_peer_says_later) {
  for (const Algorithm algorithm : {Algorithm::aimd, Algorithm::vegas, Algorithm::gradient2}) {
    auto limit = make(algorithm);
    for (int i = 0; i < 20; ++i)
      if (auto permit = limit->try_enter()) permit->report(OutcomeClass::throttled, 1ms);
    EXPECT_EQ(limit->snapshot().limit, 18) << algorithm_name(algorithm) << ": a tenth less after one round of twenty";
    for (int i = 0; i < 1000; ++i)
      if (auto permit = limit->try_enter()) permit->report(OutcomeClass::throttled, 1ms);
    EXPECT_EQ(limit->snapshot().limit, 5) << algorithm_name(algorithm) << ": the least, and never below";
    EXPECT_TRUE(limit->try_enter().has_value()) << "it can always find out";
  }
}

TEST(AdaptiveLimit, that_makes_no_sense_is_refused_with_the_field) {
  EXPECT_EQ(AdaptiveLimit::make({.name = "db", .first = 2}).error().detail(),
            "limit 'db': first must be from least to most, not 2");
  EXPECT_FALSE(AdaptiveLimit::make({.name = "db", .smoothing = 0}).has_value());
}

}  // namespace
}  // namespace serin::limit
