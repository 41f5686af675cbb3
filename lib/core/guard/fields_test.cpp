// Goal: header fields that carry time are read strictly and written so that nobody promises too much. Method: tables of
// good and bad ones.
#include <gtest/gtest.h>

#include "serin/guard/retry_after.hpp"
#include "serin/guard/time_left.hpp"

namespace serin::guard {
namespace {

const WallTime now = parse_rfc3339("2026-04-09T18:03:00Z").value();

TEST(RetryAfter, is_seconds_or_a_date_in_one_of_three_forms) {
  EXPECT_EQ(parse_retry_after("0", now), 0s);
  EXPECT_EQ(parse_retry_after(" 120 ", now), 120s);
  EXPECT_EQ(parse_retry_after("99999999999999999999999", now), 24h) << "no overflow, and no waiting for ever";
  EXPECT_EQ(parse_retry_after("Thu, 09 Apr 2026 18:03:30 GMT", now), 30s);
  EXPECT_EQ(parse_retry_after("Thursday, 09-Apr-26 18:03:30 GMT", now), 30s);
  EXPECT_EQ(parse_retry_after("Thu Apr  9 18:03:30 2026", now), 30s);
  EXPECT_EQ(parse_retry_after("Thu Apr 19 18:03:30 2026", now), 24h);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 0s) << "it has passed";
}

TEST(RetryAfter, that_is_not_understood_is_none) {
  for (const char* bad :
       {"", " ", "-1", "+5", "1.5", "5s", "1e3", "soon", "Thu, 9 Apr 2026 18:03:30 GMT", "Thu, 09 Apr 2026 18:03:30",
        "Thu, 09 Apr 2026 18:03:30 CET", "Thu, 31 Feb 2026 18:03:30 GMT", "Thu, 09 Apr 2026 24:00:00 GMT",
        "Xyz, 09 Apr 2026 18:03:30 GMT", "Thu, 09 Abc 2026 18:03:30 GMT", "Thu, 09 Apr 2026 18:03:30 GMT x",
        "Thu, 09 Apr 9999 18:03:30 GMT", "Thu, 00 Apr 2026 18:03:30 GMT"})
    EXPECT_EQ(parse_retry_after(bad, now), std::nullopt) << bad;
}

TEST(HttpDate, of_two_digits_is_at_most_fifty_years_ahead) {
  EXPECT_EQ(format_rfc3339(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now).value()), "1994-11-06T08:49:37.000Z");
  EXPECT_EQ(format_rfc3339(parse_http_date("Sunday, 06-Nov-70 08:49:37 GMT", now).value()), "2070-11-06T08:49:37.000Z");
}

TEST(TimeLeft, is_rounded_down_and_read_strictly) {
  EXPECT_EQ(format_time_left(1999999ns), "1");
  EXPECT_EQ(format_time_left(0s), "0");
  EXPECT_EQ(format_time_left(Duration::max()), "999999999");
  EXPECT_EQ(parse_time_left("1500"), 1500ms);
  EXPECT_EQ(parse_time_left("0"), 0s);
  for (const char* bad : {"", " 1", "1 ", "-1", "+1", "01", "1.0", "1e3", "1ms", "1000000000", "0x1"})
    EXPECT_EQ(parse_time_left(bad), std::nullopt) << bad;
}

TEST(TimeLeft, of_a_caller_makes_the_deadline_sooner_and_never_later) {
  const Instant start(1h);
  HttpHeaders headers;
  EXPECT_EQ(deadline_of(headers, start, 5s).left(start), 5s);
  write_time_left(headers, Deadline::after(start, 1500ms), start);
  EXPECT_EQ(deadline_of(headers, start, 5s).left(start), 1500ms);
  EXPECT_EQ(deadline_of(headers, start, 1s).left(start), 1s);
  headers.set(time_left_field, "forever");
  EXPECT_EQ(deadline_of(headers, start, 5s).left(start), 5s);
  HttpHeaders untouched;
  write_time_left(untouched, Deadline::never(), start);
  EXPECT_FALSE(untouched.find(time_left_field).has_value());
}

}  // namespace
}  // namespace serin::guard
