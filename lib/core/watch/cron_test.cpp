// Goal: schedules mean what crontab(5) says, in the civil time of a place, and what never comes is refused. Method:
// cases worked out by hand for places whose clocks change by an hour, by half an hour, by a day and never.
#include "serin/watch/cron.hpp"

#include <gtest/gtest.h>

#include "serin/zones/time_zones.hpp"

namespace serin::watch {
namespace {

WallTime utc(std::string_view text) { return parse_rfc3339(text).value(); }
std::shared_ptr<const TimeZone> zone(std::string_view name) { return SystemTimeZones().find(name).value(); }

/// The next `count` times after `from`, as UTC.
std::vector<std::string> times(std::string_view cron, std::string_view place, std::string_view from, int count) {
  const auto parsed = parse_cron(cron).value();
  const auto where = zone(place);
  std::vector<std::string> out;
  WallTime at = utc(from);
  for (int i = 0; i < count; ++i) {
    at = next_after(parsed, *where, at);
    out.push_back(format_rfc3339(at).substr(0, 16));
  }
  return out;
}
using Times = std::vector<std::string>;

TEST(Cron, reads_fields_lists_ranges_steps_and_names) {
  const Cron cron = parse_cron("5,10-12 8-18/5 1 JAN,mar-apr Fri-sun").value();
  EXPECT_EQ(cron.minutes, 1ull << 5 | 1ull << 10 | 1ull << 11 | 1ull << 12);
  EXPECT_EQ(cron.hours, 1u << 8 | 1u << 13 | 1u << 18);
  EXPECT_EQ(cron.days, 1u << 1);
  EXPECT_EQ(cron.months, 1u << 1 | 1u << 3 | 1u << 4);
  EXPECT_EQ(cron.weekdays, 1u << 5 | 1u << 6 | 1u << 0);
  EXPECT_EQ(parse_cron("0 0 * * 7")->weekdays, parse_cron("0 0 * * sun")->weekdays);
  EXPECT_EQ(parse_cron("  */15\t*  * * * ")->minutes, 1ull | 1ull << 15 | 1ull << 30 | 1ull << 45);
  EXPECT_EQ(parse_cron("@Weekly")->weekdays, 1u);
  EXPECT_EQ(parse_cron("* * * * *")->weekdays, 0x7f);
}

TEST(Cron, refuses_what_it_cannot_read_and_what_never_comes) {
  for (const auto* const text : {"",
                                 "* * * *",
                                 "* * * * * *",
                                 "60 * * * *",
                                 "* 24 * * *",
                                 "* * 0 * *",
                                 "* * * 13 *",
                                 "* * * * 8",
                                 "-1 * * * *",
                                 "5/10 * * * *",
                                 "*/0 * * * *",
                                 "*/99 * * * *",
                                 "10-5 * * * *",
                                 "1,,2 * * * *",
                                 "a * * * *",
                                 "* * * foo *",
                                 "@reboot",
                                 "@",
                                 "1- * * * *",
                                 "+1 * * * *",
                                 "0x1 * * * *",
                                 "*5 * * * *",
                                 "0 0 30 2 *",
                                 "0 0 31 4,6,9,11 *",
                                 "0 0 30-31 feb */2"}) {
    const auto cron = parse_cron(text);
    ASSERT_FALSE(cron) << text;
    EXPECT_EQ(cron.error().code(), Errc::invalid_argument) << text;
  }
  EXPECT_TRUE(parse_cron("0 0 29 2 *"));
  EXPECT_TRUE(parse_cron("0 0 30 2 mon")) << "a Monday of February will do";
}

TEST(Cron, takes_either_day_when_both_are_named_and_both_when_one_begins_with_a_star) {
  EXPECT_EQ(times("0 12 13 * fri", "UTC", "2026-11-01T00:00:00Z", 4),
            (Times{"2026-11-06T12:00", "2026-11-13T12:00", "2026-11-20T12:00", "2026-11-27T12:00"}));
  EXPECT_EQ(times("0 12 1 * mon", "UTC", "2026-11-25T00:00:00Z", 3),
            (Times{"2026-11-30T12:00", "2026-12-01T12:00", "2026-12-07T12:00"}));
  EXPECT_EQ(times("0 12 */2 * mon", "UTC", "2026-11-01T00:00:00Z", 3),
            (Times{"2026-11-09T12:00", "2026-11-23T12:00", "2026-12-07T12:00"}));
}

TEST(Cron, runs_a_time_that_is_left_out_at_the_next_moment_once) {
  EXPECT_EQ(times("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
            (Times{"2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"}));
  EXPECT_EQ(times("*/20 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", 3),
            (Times{"2026-03-08T07:00", "2026-03-09T06:00", "2026-03-09T06:20"}))
      << "three are left out, and they are one run";
  EXPECT_EQ(times("0,30 2-3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
            (Times{"2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00"}));
  EXPECT_EQ(times("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
            (Times{"2026-10-03T15:30", "2026-10-04T15:15"}))
      << "clocks go by half an hour there";
  EXPECT_EQ(times("0 6,12 * * *", "Pacific/Apia", "2011-12-29T17:00:00Z", 3),
            (Times{"2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T16:00"}))
      << "a whole day is left out";
}

TEST(Cron, runs_a_time_that_comes_twice_once) {
  EXPECT_EQ(times("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3),
            (Times{"2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"}));
  EXPECT_EQ(times("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", 2),
            (Times{"2026-11-01T05:30", "2026-11-02T06:30"}));
  EXPECT_EQ(times("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2),
            (Times{"2026-04-04T14:45", "2026-04-05T15:15"}));
  EXPECT_EQ(times("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), (Times{"2026-10-26T01:30"}))
      << "also when it is asked between the two";
}

TEST(Cron, goes_by_time_that_passes_where_every_hour_is_meant) {
  EXPECT_EQ(times("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
            (Times{"2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"}));
  EXPECT_EQ(times("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 3),
            (Times{"2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"}));
}

TEST(Cron, waits_decades_where_it_must) {
  EXPECT_EQ(times("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), (Times{"2104-02-29T00:00"}));
  EXPECT_EQ(times("0 0 29 2 */7", "UTC", "2088-03-01T00:00:00Z", 1), (Times{"2128-02-29T00:00"}))
      << "Sundays only: 40 years, over 2100";
  EXPECT_EQ(times("0 * 29 2 */7", "UTC", "2088-03-01T00:00:00Z", 1), (Times{"2128-02-29T00:00"}));
}

TEST(Cron, is_due_strictly_after) {
  EXPECT_EQ(times("0 6 * * *", "Asia/Kathmandu", "2026-01-01T00:15:00Z", 1), (Times{"2026-01-02T00:15"}));
  EXPECT_EQ(times("0 6 * * *", "Asia/Kathmandu", "2026-01-01T00:14:59Z", 1), (Times{"2026-01-01T00:15"}));
  EXPECT_EQ(times("* * * * *", "Asia/Kathmandu", "2026-01-01T00:14:59.999Z", 1), (Times{"2026-01-01T00:15"}));
}

}  // namespace
}  // namespace serin::watch
