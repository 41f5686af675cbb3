// Goal: the next time is right for any schedule around any change of clocks. Method: seeded schedules against a walk
// over every minute, which knows only what clocks show at a moment and never asks the other way round.
#include <gtest/gtest.h>

#include "serin/sim/world.hpp"
#include "serin/watch/cron.hpp"
#include "serin/zones/time_zones.hpp"

namespace serin::watch {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::minutes;

/// By the words of crontab(5), from the text of the fields' sets.
bool matches(const Cron& cron, LocalTime shown) {
  const auto day = floor<days>(shown);
  const std::chrono::year_month_day date(day);
  const auto of_day = shown - day;
  const bool in_month = (cron.days & 1u << static_cast<unsigned>(date.day())) != 0;
  const bool in_week = (cron.weekdays & 1u << std::chrono::weekday(day).c_encoding()) != 0;
  return (cron.minutes & 1ull << of_day % std::chrono::hours(1) / minutes(1)) != 0 &&
         (cron.hours & 1u << of_day / std::chrono::hours(1)) != 0 &&
         (cron.months & 1u << static_cast<unsigned>(date.month())) != 0 &&
         (cron.either_day ? in_month || in_week : in_month && in_week);
}

/// Due when the highest time that clocks have shown so far passes a minute that matches.
std::vector<WallTime> walk(const Cron& cron, const TimeZone& zone, WallTime from, WallTime to) {
  std::vector<WallTime> due;
  LocalTime highest = zone.local(from - 25h);
  for (WallTime at = from - 25h + 1min; at < to; at += 1min) {
    const LocalTime shown = zone.local(at);
    bool is_due = false;
    if (cron.around_clock)
      is_due = matches(cron, shown);
    else
      for (LocalTime minute = highest + minutes(1); minute <= shown && !is_due; minute += minutes(1))
        is_due = matches(cron, minute);
    highest = std::max(highest, shown);
    if (is_due && at > from) due.push_back(at);
  }
  return due;
}

std::string field(sim::SeededRandom& random, int low, int high, int stars) {
  const auto pick = [&](int from, int to) {
    return from + static_cast<int>(random.next() % static_cast<std::uint64_t>(to - from + 1));
  };
  std::string out;
  if (pick(1, 10) <= stars) return pick(0, 2) == 0 ? "*/" + std::to_string(pick(1, high)) : "*";
  for (int i = pick(1, 3); i > 0; --i) {
    const int first = pick(low, high);
    out += (out.empty() ? "" : ",") + std::to_string(first);
    if (pick(0, 1) != 0) out += "-" + std::to_string(pick(first, high)) + (pick(0, 1) != 0 ? "/3" : "");
  }
  return out;
}

TEST(CronProperty, next_is_what_a_walk_over_every_minute_finds) {
  constexpr std::uint64_t seed = 20261125;
  sim::SeededRandom random(seed);
  // Places and moments at which their clocks change, or nothing happens.
  const std::vector<std::pair<std::string, std::vector<std::string>>> places{
      {"Europe/Berlin", {"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"}},
      {"America/New_York", {"2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"}},
      {"Australia/Lord_Howe", {"2026-10-03T15:30:00Z", "2026-04-04T15:00:00Z"}},
      {"Pacific/Apia", {"2011-12-30T10:00:00Z"}},
      {"America/Sao_Paulo", {"2018-11-04T03:00:00Z", "2018-02-18T02:00:00Z"}},  // at midnight
      {"Asia/Kathmandu", {"2026-02-28T18:15:00Z"}}};
  int looked = 0;
  for (int round = 0; round < 240; ++round) {
    const auto& [name, moments] = places[static_cast<std::size_t>(round) % places.size()];
    const auto zone = SystemTimeZones().find(name).value();
    const WallTime change = parse_rfc3339(moments[random.next() % moments.size()]).value();
    const std::string text = field(random, 0, 59, 5) + " " + field(random, 0, 23, 4) + " " + field(random, 1, 31, 6) +
                             " " + field(random, 1, 12, 9) + " " + field(random, 0, 7, 7);
    const auto cron = parse_cron(text);
    if (!cron) continue;
    const WallTime from = change - 26h + minutes(random.next() % 600);
    const WallTime to = change + 40h;
    WallTime at = from;
    for (const WallTime expected : walk(*cron, *zone, from, to)) {
      at = next_after(*cron, *zone, at);
      ASSERT_EQ(format_rfc3339(at), format_rfc3339(expected)) << text << " in " << name << ", seed " << seed;
      ++looked;
    }
    EXPECT_GE(next_after(*cron, *zone, at), to) << text << " in " << name << ", seed " << seed;
  }
  EXPECT_GT(looked, 5000);
}

}  // namespace
}  // namespace serin::watch
