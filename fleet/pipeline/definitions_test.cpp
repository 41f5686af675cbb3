#include "serin/fleet_pipeline/definitions.hpp"

#include <gtest/gtest.h>

namespace serin::fleet {
namespace {

const WallTime now = WallTime(std::chrono::seconds(1'775'757'780));

// Goal: what is unknown or empty never counts as healthy, and an empty day is told apart from lost data.
// Method: each definition at its limits and one step beyond.
TEST(Eligible, needs_minutes_or_a_line_and_history_and_not_being_out) {
  EXPECT_TRUE(is_eligible({.average_minutes = 15.0, .history = 3}));
  EXPECT_FALSE(is_eligible({.average_minutes = 14.99, .history = 3}));
  EXPECT_TRUE(is_eligible({.average_minutes = 2.0, .has_line = true, .history = 3}));
  EXPECT_FALSE(is_eligible({.average_minutes = 30.0, .is_out = true, .history = 30}));
  EXPECT_FALSE(is_eligible({.average_minutes = 30.0, .has_line = true, .history = 2}));
  EXPECT_FALSE(is_eligible({})) << "nothing known is not eligible";
}

TEST(Coverage, passes_from_90_warns_from_80_and_fails_below) {
  EXPECT_EQ(judge_coverage({.games = 5, .eligible = 100, .predicted = 90}).verdict, Verdict::pass);
  EXPECT_EQ(judge_coverage({.games = 5, .eligible = 100, .predicted = 89}).verdict, Verdict::warn);
  EXPECT_EQ(judge_coverage({.games = 5, .eligible = 100, .predicted = 80}).verdict, Verdict::warn);
  EXPECT_EQ(judge_coverage({.games = 5, .eligible = 100, .predicted = 79}).verdict, Verdict::fail);
}

TEST(Coverage, is_not_evaluated_without_games_and_fails_with_games_and_nothing_else) {
  EXPECT_EQ(judge_coverage({.games = 0}).verdict, Verdict::not_evaluated);
  EXPECT_EQ(judge_coverage({.games = 3, .eligible = 0}).verdict, Verdict::fail);
  EXPECT_EQ(judge_coverage({.games = 3, .eligible = 20, .predicted = 0}).verdict, Verdict::fail);
  EXPECT_FALSE(coverage_share({.games = 3}).has_value()) << "no eligible player is no share, not 0 % and not 100 %";
}

TEST(Freshness, passes_to_24_hours_warns_to_48_and_fails_afterwards) {
  EXPECT_EQ(judge_freshness({.newest = now - 24h, .games = 1}, now).verdict, Verdict::pass);
  EXPECT_EQ(judge_freshness({.newest = now - 24h - 1s, .games = 1}, now).verdict, Verdict::warn);
  EXPECT_EQ(judge_freshness({.newest = now - 48h, .games = 1}, now).verdict, Verdict::warn);
  EXPECT_EQ(judge_freshness({.newest = now - 48h - 1s, .games = 1}, now).verdict, Verdict::fail);
}

TEST(Freshness, fails_without_a_row_on_a_day_with_games_and_knows_days_without) {
  EXPECT_EQ(judge_freshness({.newest = std::nullopt, .games = 2}, now).verdict, Verdict::fail);
  EXPECT_EQ(judge_freshness({.newest = std::nullopt, .games = 0}, now).verdict, Verdict::not_evaluated);
  EXPECT_EQ(judge_freshness({.newest = now - 200h, .games = 0}, now).verdict, Verdict::not_evaluated);
}

TEST(Freshness, does_not_take_a_row_from_the_future_for_a_fresh_one) {
  EXPECT_EQ(judge_freshness({.newest = now + 1min, .games = 1}, now).verdict, Verdict::pass)
      << "clocks differ a little";
  EXPECT_EQ(judge_freshness({.newest = now + 1h, .games = 1}, now).verdict, Verdict::warn);
}

TEST(ValidationFailures, pass_to_5_warn_to_10_and_fail_beyond_or_unknown) {
  EXPECT_EQ(judge_validation_failures(5).verdict, Verdict::pass);
  EXPECT_EQ(judge_validation_failures(6).verdict, Verdict::warn);
  EXPECT_EQ(judge_validation_failures(10).verdict, Verdict::warn);
  EXPECT_EQ(judge_validation_failures(11).verdict, Verdict::fail);
  EXPECT_EQ(judge_validation_failures(-1).verdict, Verdict::fail);
}

}  // namespace
}  // namespace serin::fleet
