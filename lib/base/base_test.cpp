// Goal: the words everyone uses mean what their comments say. Method: examples at the edges of each documented rule.
#include <gtest/gtest.h>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/base/text.hpp"
#include "serin/base/time.hpp"

namespace serin {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Errc::invalid_argument, "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  SERIN_TRY(const int first, half(n));
  SERIN_TRY(const int second, half(first));
  return second;
}

TEST(Error, context_is_added_outermost_first_and_the_code_stays) {
  const auto result = quarter(6);
  ASSERT_FALSE(result);
  const Error error = result.error().in("divide").in("report");
  EXPECT_EQ(error.code(), Errc::invalid_argument);
  EXPECT_EQ(error.text(), "invalid_argument: report: divide: odd");
  EXPECT_EQ(quarter(12).value(), 3);
}

TEST(Duration, is_read_as_people_write_it) {
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
  EXPECT_EQ(parse_duration("0").value(), 0s);
  for (const char* bad : {"", "5", "s", "5 s", "-5s", "5x", "1e99s", "99999999d", "5s ", "nan"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Duration, is_written_so_that_reading_it_gives_it_back) {
  for (const Duration d :
       {Duration(0ns), Duration(17us), Duration(250ms), Duration(20s), Duration(90min), Duration(25h)})
    EXPECT_EQ(parse_duration(format_duration(d)).value(), d) << format_duration(d);
}

TEST(Time, round_trips_and_refuses_dates_that_do_not_exist) {
  EXPECT_EQ(format_rfc3339(WallTime(1775757780250ms)), "2026-04-09T18:03:00.250Z");
  EXPECT_EQ(parse_rfc3339("2026-04-09T20:03:00.25+02:00").value(), WallTime(1775757780250ms));
  EXPECT_FALSE(parse_date("2026-02-30"));
  EXPECT_FALSE(parse_date("2026-4-9"));
  EXPECT_EQ(format_date(parse_date("2024-02-29").value()), "2024-02-29");
  EXPECT_EQ(days_of(WallTime(-1ns)), -1) << "before 1970 the day is the earlier one";
}

TEST(Deadline, never_stays_never_and_nothing_is_left_after_it_passed) {
  const Instant now(100s);
  EXPECT_EQ(Deadline::after(now, Duration::max()), Deadline::never());
  const Deadline soon = Deadline::after(now, 5s);
  EXPECT_EQ(soon.left(now + 2s), 3s);
  EXPECT_EQ(soon.left(now + 9s), 0s);
  EXPECT_TRUE(soon.passed(now + 5s)) << "at the deadline is past it";
}

TEST(Name, is_a_dns_label) {
  EXPECT_TRUE(ServiceName::make("prediction-worker"));
  for (const char* bad : {"", "Worker", "1st", "a-", "a_b", "a.b"}) EXPECT_FALSE(ServiceName::make(bad)) << bad;
  EXPECT_FALSE(ServiceName::make(std::string(64, 'a')));
}

TEST(Text, suggests_a_near_word_and_no_far_one) {
  const std::vector<std::string> words{"prediction-worker", "mlb-worker", "analytics-processor"};
  EXPECT_EQ(nearest_word("predicton-worker", words), "prediction-worker");
  EXPECT_EQ(nearest_word("database", words), std::nullopt);
}

TEST(Text, base64_round_trips_every_length_and_refuses_the_rest) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
  for (const char* bad : {"a", "a===", "=aaa", "aa=a", "a b=", "aaaa===="}) EXPECT_FALSE(base64_decode(bad)) << bad;
}

TEST(Text, percent_decoding_leaves_broken_escapes_alone) {
  EXPECT_EQ(percent_decode("a%20b+c%4", true), "a b c%4");
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
}

TEST(Text, numbers_are_read_whole_or_not_at_all) {
  EXPECT_EQ(to_int("42"), 42);
  EXPECT_FALSE(to_int("42x"));
  EXPECT_FALSE(to_int("99999999999999999999"));
  EXPECT_EQ(to_double("0.5"), 0.5);
}

TEST(Text, that_goes_into_markup_or_an_annotation_stays_text) {
  EXPECT_EQ(escape_markup("<a b=\"c\">&\n\t\x01"), "&lt;a b=&quot;c&quot;&gt;&amp;\n\t?");
  EXPECT_EQ(escape_annotation("a:b,c%\r\n", false), "a:b,c%25%0D%0A");
  EXPECT_EQ(escape_annotation("a:b,c%\r\n", true), "a%3Ab%2Cc%25%0D%0A");
}

}  // namespace
}  // namespace serin
