#include "serin/guard/retry_after.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace serin::guard {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                               "Thursday", "Friday", "Saturday"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes a date apart from the left; once something does not fit, everything after it fails too.
struct Reader {
  std::string_view rest;
  bool good = true;

  void literal(std::string_view text) {
    good = good && rest.starts_with(text);
    if (good) rest.remove_prefix(text.size());
  }
  int number(std::size_t digits) {
    int value = 0;
    good = good && rest.size() >= digits;
    for (std::size_t i = 0; good && i < digits; ++i) {
      good = is_digit(rest[i]);
      value = value * 10 + (rest[i] - '0');
    }
    if (good) rest.remove_prefix(digits);
    return good ? value : 0;
  }
  unsigned month() {
    const auto found = good ? std::ranges::find(months, rest.substr(0, 3)) : months.end();
    good = found != months.end();
    if (good) rest.remove_prefix(3);
    return good ? static_cast<unsigned>(found - months.begin()) + 1 : 0;
  }
  /// The name of a day, whole or its first three letters. Whether it is the right one nobody checks.
  void day_name(bool whole) {
    for (const std::string_view day : days) {
      const std::string_view name = whole ? day : day.substr(0, 3);
      if (rest.starts_with(name)) return rest.remove_prefix(name.size());
    }
    good = false;
  }
};

struct Moment {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  Duration time{};
};

Duration time_of_day(Reader& in) {
  const int hours = in.number(2);
  in.literal(":");
  const int minutes = in.number(2);
  in.literal(":");
  const int seconds = in.number(2);
  in.good = in.good && hours < 24 && minutes < 60 && seconds <= 60;  // 60: a leap second
  return std::chrono::hours(hours) + std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
}

std::optional<WallTime> finished(const Reader& in, const Moment& moment) {
  const std::chrono::year_month_day date{std::chrono::year(moment.year), std::chrono::month(moment.month),
                                         std::chrono::day(moment.day)};
  // Nanoseconds in 64 bits end in 2262.
  if (!in.good || !in.rest.empty() || !date.ok() || moment.year < 1970 || moment.year > 2200) return std::nullopt;
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + moment.time);
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<WallTime> fixed_date(std::string_view text) {
  Reader in{text};
  Moment moment;
  in.day_name(false);
  in.literal(", ");
  moment.day = static_cast<unsigned>(in.number(2));
  in.literal(" ");
  moment.month = in.month();
  in.literal(" ");
  moment.year = in.number(4);
  in.literal(" ");
  moment.time = time_of_day(in);
  in.literal(" GMT");
  return finished(in, moment);
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"; a year that seems to lie more than 50 years ahead is of the century before.
std::optional<WallTime> old_date(std::string_view text, WallTime now) {
  Reader in{text};
  Moment moment;
  in.day_name(true);
  in.literal(", ");
  moment.day = static_cast<unsigned>(in.number(2));
  in.literal("-");
  moment.month = in.month();
  in.literal("-");
  const int year = in.number(2);
  in.literal(" ");
  moment.time = time_of_day(in);
  in.literal(" GMT");
  const std::chrono::year_month_day today{
      std::chrono::floor<std::chrono::days>(std::chrono::sys_time<Duration>(now.time_since_epoch()))};
  const int this_year = static_cast<int>(today.year());
  moment.year = this_year - this_year % 100 + year;
  if (moment.year > this_year + 50) moment.year -= 100;
  return finished(in, moment);
}

/// "Sun Nov  6 08:49:37 1994"
std::optional<WallTime> c_date(std::string_view text) {
  Reader in{text};
  Moment moment;
  in.day_name(false);
  in.literal(" ");
  moment.month = in.month();
  in.literal(" ");
  const bool one_digit = in.rest.starts_with(' ');
  if (one_digit) in.literal(" ");
  moment.day = static_cast<unsigned>(in.number(one_digit ? 1 : 2));
  in.literal(" ");
  moment.time = time_of_day(in);
  in.literal(" ");
  moment.year = in.number(4);
  return finished(in, moment);
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) {
  if (const auto date = fixed_date(text)) return date;
  if (const auto date = old_date(text, now)) return date;
  return c_date(text);
}

std::optional<Duration> parse_retry_after(std::string_view field, WallTime now) {
  constexpr Duration longest = std::chrono::days(1);
  while (!field.empty() && (field.front() == ' ' || field.front() == '\t')) field.remove_prefix(1);
  while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
  if (field.empty()) return std::nullopt;
  if (std::ranges::all_of(field, is_digit)) {
    std::int64_t seconds = 0;
    for (const char digit : field) seconds = std::min<std::int64_t>(seconds * 10 + (digit - '0'), 1'000'000);
    return std::min<Duration>(std::chrono::seconds(seconds), longest);
  }
  const std::optional<WallTime> date = parse_http_date(field, now);
  if (!date) return std::nullopt;
  return std::clamp<Duration>(*date - now, Duration::zero(), longest);
}

}  // namespace serin::guard
