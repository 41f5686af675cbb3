// Goal: what is slower or fails more than at this time of other days is seen, a usual rush hour is not, and no past is
// no finding. Method: made-up runs of eight days, a run a minute.
#include "serin/watch/trend.hpp"

#include <gtest/gtest.h>

#include "serin/sim/world.hpp"

namespace serin::watch {
namespace {

const WallTime now = parse_rfc3339("2026-11-25T18:00:00Z").value();

/// A run a minute from `days` ago on; each says how long it took and whether it was ok.
template <class Make>
std::vector<RunResult> runs(int days, const Make& make) {
  std::vector<RunResult> out;
  for (WallTime at = now - std::chrono::days(days) - 45min; at <= now; at += 1min) out.push_back(make(at));
  return out;
}
RunResult ok(WallTime at, Duration took) { return {.at = at, .finding = Finding::ok, .took = took}; }
bool is_recent(WallTime at) { return now - at < 15min; }

TEST(Trend, sees_what_is_slower_than_at_this_time_of_other_days) {
  const Trend trend = judge_trend(runs(7, [](WallTime at) { return ok(at, is_recent(at) ? 35ms : 20ms); }), now);
  EXPECT_EQ(trend.latency, TrendStatus::degraded) << trend.said;
  EXPECT_EQ(trend.now, 35ms);
  EXPECT_EQ(trend.usual, 20ms);
  EXPECT_EQ(trend.limit, 30ms);
  EXPECT_EQ(trend.errors, TrendStatus::usual);
  EXPECT_EQ(trend.status(), TrendStatus::degraded);
}

TEST(Trend, takes_a_daily_rush_for_what_it_is) {
  const auto rush = [](WallTime at) {
    const auto hour = at.time_since_epoch() % std::chrono::days(1) / std::chrono::hours(1);
    return ok(at, hour == 17 || hour == 18 ? 90ms : 20ms);
  };
  EXPECT_EQ(judge_trend(runs(7, rush), now).latency, TrendStatus::usual);
}

TEST(Trend, is_not_moved_by_one_bad_day) {
  const auto one_bad_day = [](WallTime at) {
    const bool yesterday = now - at > 23h && now - at < 25h;
    return ok(at, yesterday ? 900ms : is_recent(at) ? 40ms : 20ms);
  };
  EXPECT_EQ(judge_trend(runs(7, one_bad_day), now).latency, TrendStatus::degraded);
}

TEST(Trend, widens_the_band_where_days_differ) {
  const auto uneven = [](WallTime at) {
    const auto day = (now - at + 30min) / std::chrono::days(1);
    return ok(at, is_recent(at) ? 35ms : 10ms + std::chrono::milliseconds(5 * day));
  };
  EXPECT_EQ(judge_trend(runs(7, uneven), now).latency, TrendStatus::usual);
}

TEST(Trend, counts_what_is_not_ok_unknown_too) {
  const auto failing = [](WallTime at) {
    const auto minute = at.time_since_epoch() / 1min;
    RunResult run = ok(at, 20ms);
    if (is_recent(at) && minute % 3 == 0) run.finding = minute % 2 == 0 ? Finding::unknown : Finding::failing;
    return run;
  };
  const Trend trend = judge_trend(runs(7, failing), now);
  EXPECT_EQ(trend.errors, TrendStatus::degraded) << trend.said;
  EXPECT_EQ(trend.latency, TrendStatus::usual);
  EXPECT_NEAR(trend.errors_now.value(), 1.0 / 3, 0.05);
}

TEST(Trend, is_unknown_without_a_past_or_a_present) {
  const auto steady = [](WallTime at) { return ok(at, is_recent(at) ? 500ms : 20ms); };
  const Trend young = judge_trend(runs(2, steady), now);
  EXPECT_EQ(young.status(), TrendStatus::unknown);
  EXPECT_FALSE(young.usual);
  EXPECT_NE(young.said.find("no past"), std::string::npos);
  EXPECT_EQ(judge_trend(runs(3, steady), now).status(), TrendStatus::degraded) << "three days are enough";
  auto old = runs(7, steady);
  std::erase_if(old, [](const RunResult& run) { return is_recent(run.at); });
  EXPECT_EQ(judge_trend(old, now).status(), TrendStatus::unknown) << "nothing ran lately";
  EXPECT_EQ(judge_trend({}, now).status(), TrendStatus::unknown);
}

TEST(TrendProperty, finds_nothing_in_noise_that_is_the_same_every_day) {
  sim::SeededRandom random(3);
  int found = 0;
  for (int round = 0; round < 200; ++round) {
    const auto noisy = [&](WallTime at) {
      RunResult run = ok(at, 20ms + std::chrono::microseconds(random.next() % 10'000));
      if (random.next() % 50 == 0) run.finding = Finding::failing;
      return run;
    };
    std::vector<RunResult> past;
    for (int day = 7; day >= 0; --day)
      for (WallTime at = now - std::chrono::days(day) - 30min; at <= now && at < now - std::chrono::days(day) + 30min;
           at += 1min)
        past.push_back(noisy(at));
    if (judge_trend(past, now).status() == TrendStatus::degraded) ++found;
  }
  EXPECT_LE(found, 2) << "of 200";
}

}  // namespace
}  // namespace serin::watch
