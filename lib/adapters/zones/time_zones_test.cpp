// Goal: clocks of real places, with their changes. Method: moments that public records know, and the way back from each
// minute of days on which clocks change.
#include "serin/zones/time_zones.hpp"

#include <gtest/gtest.h>

namespace serin {
namespace {

using Kind = LocalMoments::Kind;
using std::chrono::minutes;
using std::chrono::seconds;

WallTime utc(std::string_view text) { return parse_rfc3339(text).value(); }
/// A local time is written as if it were UTC.
LocalTime shown(std::string_view text) { return LocalTime(std::chrono::floor<seconds>(utc(text).time_since_epoch())); }
std::shared_ptr<const TimeZone> zone(std::string_view name) { return SystemTimeZones().find(name).value(); }

TEST(Zones, know_what_clocks_show) {
  EXPECT_EQ(zone("UTC")->local(utc("2026-03-29T01:00:00Z")), shown("2026-03-29T01:00:00Z"));
  EXPECT_EQ(zone("Europe/Berlin")->local(utc("2026-03-29T00:59:59Z")), shown("2026-03-29T01:59:59Z"));
  EXPECT_EQ(zone("Europe/Berlin")->local(utc("2026-03-29T01:00:00Z")), shown("2026-03-29T03:00:00Z"));
  EXPECT_EQ(zone("Asia/Kathmandu")->local(utc("2026-01-01T00:00:00Z")), shown("2026-01-01T05:45:00Z"));
  EXPECT_EQ(zone("America/New_York")->local(utc("2026-11-01T06:00:00Z")), shown("2026-11-01T01:00:00Z"));
}

TEST(Zones, go_on_by_their_rule_after_the_end_of_their_file) {
  // 2099-03-29 is the last Sunday of that March.
  EXPECT_EQ(zone("Europe/Berlin")->local(utc("2099-03-29T01:00:00Z")), shown("2099-03-29T03:00:00Z"));
}

TEST(Zones, say_of_a_time_when_it_is) {
  const LocalMoments skipped = zone("Europe/Berlin")->moments(shown("2026-03-29T02:30:00Z"));
  EXPECT_EQ(skipped.kind, Kind::skipped);
  EXPECT_EQ(skipped.first, utc("2026-03-29T01:00:00Z"));
  const LocalMoments repeated = zone("Europe/Berlin")->moments(shown("2026-10-25T02:30:00Z"));
  EXPECT_EQ(repeated.kind, Kind::repeated);
  EXPECT_EQ(repeated.first, utc("2026-10-25T00:30:00Z"));
  EXPECT_EQ(repeated.second, utc("2026-10-25T01:30:00Z"));
  // Lord Howe puts its clocks by half an hour; Apia left a day out.
  EXPECT_EQ(zone("Australia/Lord_Howe")->moments(shown("2026-10-04T02:15:00Z")).first, utc("2026-10-03T15:30:00Z"));
  const LocalMoments day = zone("Pacific/Apia")->moments(shown("2011-12-30T12:00:00Z"));
  EXPECT_EQ(day.kind, Kind::skipped);
  EXPECT_EQ(day.first, utc("2011-12-30T10:00:00Z"));
}

TEST(Zones, lead_back_from_what_clocks_show) {
  for (const auto name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "UTC"})
    for (const auto from : {"2026-03-08T00:00:00Z", "2026-03-29T00:00:00Z", "2026-10-03T12:00:00Z",
                            "2026-10-25T00:00:00Z", "2026-11-01T00:00:00Z"}) {
      const auto place = zone(name);
      for (WallTime at = utc(from); at < utc(from) + 24h; at += minutes(1)) {
        const LocalMoments back = place->moments(place->local(at));
        ASSERT_NE(back.kind, Kind::skipped) << name << " " << format_rfc3339(at);
        ASSERT_TRUE(back.first == at || back.second == at) << name << " " << format_rfc3339(at);
      }
    }
}

TEST(Zones, are_names_and_no_paths) {
  for (const auto* const name : {"", "Mars/Olympus", "/etc/passwd", "../../etc/passwd", "file:/etc/localtime",
                                 "localtime", "Fixed/UTC+01:00:00", "Europe/", "Europe"}) {
    const auto found = SystemTimeZones().find(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code(), Errc::not_found);
  }
}

}  // namespace
}  // namespace serin
