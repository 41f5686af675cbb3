#include "civil.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

constexpr std::int64_t first_day = -719162;  // 0001-01-01
constexpr std::int64_t last_day = 2932896;   // 9999-12-31

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::chrono::year_month_day civil(std::int64_t days) { return std::chrono::sys_days(std::chrono::days(days)); }
std::int64_t days_of_civil(std::int64_t year, unsigned month, unsigned day) {
  return std::chrono::sys_days(std::chrono::year(static_cast<int>(year)) / std::chrono::month(month) /
                               std::chrono::day(day))
      .time_since_epoch()
      .count();
}

std::unexpected<Error> no_part(std::string_view part, Kind kind) {
  return fail(Errc::invalid_argument,
              fmt::format("A valid date part for {} is required, but found {}", kind_name(kind), part));
}

/// Parts with a fixed length; 0 for the others.
std::int64_t micros_of_part(std::string_view part) {
  if (part == "MICROSECOND") return 1;
  if (part == "MILLISECOND") return 1000;
  if (part == "SECOND") return micros_per_second;
  if (part == "MINUTE") return 60 * micros_per_second;
  if (part == "HOUR") return 3600 * micros_per_second;
  if (part == "DAY") return micros_per_day;
  if (part == "WEEK") return 7 * micros_per_day;
  return 0;
}
int months_of_part(std::string_view part) {
  return part == "MONTH" ? 1 : part == "QUARTER" ? 3 : part == "YEAR" ? 12 : 0;
}

/// The day of the same number, or the month's last.
std::int64_t add_months(std::int64_t micros, std::int64_t months) {
  const std::int64_t days = floor_div(micros, micros_per_day);
  const std::chrono::year_month_day date = civil(days);
  const std::int64_t index =
      static_cast<int>(date.year()) * std::int64_t{12} + static_cast<unsigned>(date.month()) - 1 + months;
  const std::int64_t year = floor_div(index, 12);
  const auto month = static_cast<unsigned>(index - year * 12 + 1);
  const auto last = std::chrono::year_month_day_last(std::chrono::year(static_cast<int>(year)),
                                                     std::chrono::month_day_last(std::chrono::month(month)));
  const unsigned day = std::min(static_cast<unsigned>(date.day()), static_cast<unsigned>(last.day()));
  return days_of_civil(year, month, day) * micros_per_day + (micros - days * micros_per_day);
}

std::int64_t month_index(std::int64_t micros) {
  const std::chrono::year_month_day date = civil(floor_div(micros, micros_per_day));
  return static_cast<int>(date.year()) * std::int64_t{12} + static_cast<unsigned>(date.month()) - 1;
}

/// Monday of the week; weeks of "WEEK" begin on Sunday.
std::int64_t start_of_week(std::int64_t days, bool monday) {
  const std::int64_t since = floor_div(days + (monday ? 3 : 4), 7);  // 1970-01-01 was a Thursday
  return since * 7 - (monday ? 3 : 4);
}

std::string text_of(const SqlValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : *text;
}
std::int64_t int_of(const SqlValue& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  return number == nullptr ? 0 : *number;
}

/// "12" of `width` digits at most; -1 for none.
std::int64_t digits(std::string_view text, std::size_t& at, std::size_t width) {
  std::size_t end = at;
  std::int64_t out = 0;
  while (end < text.size() && end - at < width && text[end] >= '0' && text[end] <= '9')
    out = out * 10 + (text[end++] - '0');
  if (end == at) return -1;
  at = end;
  return out;
}

bool take(std::string_view text, std::size_t& at, char sign) {
  if (at >= text.size() || text[at] != sign) return false;
  ++at;
  return true;
}

}  // namespace

std::string clock_text(std::int64_t micros) {
  const std::int64_t seconds = micros / micros_per_second;
  std::string out = fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (micros % micros_per_second != 0) {
    out += fmt::format(".{:06}", micros % micros_per_second);
    while (out.ends_with('0')) out.pop_back();
  }
  return out;
}

std::optional<std::int64_t> parse_moment(std::string_view text) noexcept {
  std::size_t at = 0;
  const std::int64_t year = digits(text, at, 4);
  if (year < 1 || !take(text, at, '-')) return std::nullopt;
  const std::int64_t month = digits(text, at, 2);
  if (month < 1 || month > 12 || !take(text, at, '-')) return std::nullopt;
  const std::int64_t day = digits(text, at, 2);
  const auto last =
      std::chrono::year_month_day_last(std::chrono::year(static_cast<int>(year)),
                                       std::chrono::month_day_last(std::chrono::month(static_cast<unsigned>(month))));
  if (day < 1 || day > static_cast<unsigned>(last.day())) return std::nullopt;
  std::int64_t micros = days_of_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day)) * micros_per_day;
  if (at == text.size()) return micros;
  if (text[at] == ' ' || text[at] == 'T' || text[at] == 't') {
    ++at;
    const std::int64_t hour = digits(text, at, 2);
    if (hour < 0 || hour > 23 || !take(text, at, ':')) return std::nullopt;
    const std::int64_t minute = digits(text, at, 2);
    if (minute < 0 || minute > 59) return std::nullopt;
    micros += (hour * 60 + minute) * 60 * micros_per_second;
    if (at < text.size() && text[at] == ':') {
      ++at;
      const std::int64_t second = digits(text, at, 2);
      if (second < 0 || second > 59) return std::nullopt;
      micros += second * micros_per_second;
      if (at < text.size() && text[at] == '.') {
        const std::size_t start = ++at;
        std::int64_t fraction = digits(text, at, 6);
        if (fraction < 0) return std::nullopt;
        for (std::size_t n = at - start; n < 6; ++n) fraction *= 10;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;  // nanoseconds are cut off
        micros += fraction;
      }
    }
  }
  const std::string_view zone = trim(text.substr(at));
  if (zone.empty() || zone == "Z" || zone == "z" || zone == "UTC") return micros;
  if (zone[0] != '+' && zone[0] != '-') return std::nullopt;
  std::size_t in = 1;
  const std::int64_t hours = digits(zone, in, 2);
  std::int64_t minutes = 0;
  if (in < zone.size() && zone[in] == ':') minutes = digits(zone, ++in, 2);
  if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59 || in != zone.size()) return std::nullopt;
  const std::int64_t shift = (hours * 60 + minutes) * 60 * micros_per_second;
  return zone[0] == '+' ? micros - shift : micros + shift;
}

Result<std::int64_t> micros_of(Kind kind, const SqlValue& value) {
  if (kind == Kind::timestamp) return int_of(value);
  const auto micros = parse_moment(text_of(value));
  if (!micros) return fail(Errc::invalid_argument, fmt::format("Invalid {}: '{}'", kind_name(kind), text_of(value)));
  return *micros;
}

Result<SqlValue> time_of(Kind kind, std::int64_t micros) {
  const std::int64_t days = floor_div(micros, micros_per_day);
  if (days < first_day || days > last_day)
    return fail(Errc::invalid_argument, fmt::format("{} value is out of range", kind_name(kind)));
  if (kind == Kind::timestamp) return micros;
  const std::chrono::year_month_day date = civil(days);
  std::string day = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                static_cast<unsigned>(date.day()));
  if (kind == Kind::date) return day;
  return day + "T" + clock_text(micros - days * micros_per_day);
}

Result<SqlValue> add_time(Kind kind, std::span<const SqlValue> arguments) {
  SERIN_TRY(const std::int64_t micros, micros_of(kind, arguments[0]));
  const std::int64_t amount = int_of(arguments[1]);
  const std::string part = text_of(arguments[2]);
  const std::int64_t length = micros_of_part(part);
  if (length != 0) {
    const bool small = length < micros_per_day;
    const bool large = length >= micros_per_day;
    if ((kind == Kind::date && small) || (kind == Kind::timestamp && large && part != "DAY"))
      return no_part(part, kind);
    std::int64_t product = 0;
    std::int64_t sum = 0;
    if (__builtin_mul_overflow(amount, length, &product) || __builtin_add_overflow(micros, product, &sum))
      return fail(Errc::invalid_argument, fmt::format("{} value is out of range", kind_name(kind)));
    return time_of(kind, sum);
  }
  const int months = months_of_part(part);
  if (months == 0 || kind == Kind::timestamp) return no_part(part, kind);
  if (amount > 200'000 || amount < -200'000)
    return fail(Errc::invalid_argument, fmt::format("{} value is out of range", kind_name(kind)));
  const std::int64_t index = month_index(micros) + amount * months;
  if (index < 12 || index >= 120'000)
    return fail(Errc::invalid_argument, fmt::format("{} value is out of range", kind_name(kind)));
  return time_of(kind, add_months(micros, amount * months));
}

Result<SqlValue> difference_of_times(Kind kind, std::span<const SqlValue> arguments) {
  SERIN_TRY(const std::int64_t a, micros_of(kind, arguments[0]));
  SERIN_TRY(const std::int64_t b, micros_of(kind, arguments[1]));
  const std::string part = text_of(arguments[2]);
  if (part == "WEEK" || part == "ISOWEEK") {
    const bool monday = part == "ISOWEEK";
    return (start_of_week(floor_div(a, micros_per_day), monday) - start_of_week(floor_div(b, micros_per_day), monday)) /
           7;
  }
  const std::int64_t length = micros_of_part(part);
  if (length != 0) {
    if (kind == Kind::date && length < micros_per_day) return no_part(part, kind);
    // A TIMESTAMP counts whole parts that have passed, the others count the boundaries between.
    if (kind == Kind::timestamp) return (a - b) / length;
    return floor_div(a, length) - floor_div(b, length);
  }
  const int months = months_of_part(part);
  if (months == 0 || kind == Kind::timestamp) return no_part(part, kind);
  return floor_div(month_index(a), months) - floor_div(month_index(b), months);
}

Result<SqlValue> truncate_time(Kind kind, std::span<const SqlValue> arguments) {
  SERIN_TRY(const std::int64_t micros, micros_of(kind, arguments[0]));
  const std::string part = text_of(arguments[1]);
  const std::int64_t days = floor_div(micros, micros_per_day);
  if (part == "WEEK" || part == "ISOWEEK")
    return time_of(kind, start_of_week(days, part == "ISOWEEK") * micros_per_day);
  const std::int64_t length = micros_of_part(part);
  if (length != 0) {
    if (kind == Kind::date && length < micros_per_day) return no_part(part, kind);
    return time_of(kind, floor_div(micros, length) * length);
  }
  const int months = months_of_part(part);
  if (months == 0) return no_part(part, kind);
  const std::int64_t index = floor_div(month_index(micros), months) * months;
  return time_of(kind, days_of_civil(floor_div(index, 12), static_cast<unsigned>(index % 12 + 1), 1) * micros_per_day);
}

Result<SqlValue> extract_of_time(Kind kind, std::span<const SqlValue> arguments) {
  SERIN_TRY(const std::int64_t micros, micros_of(kind, arguments[0]));
  const std::string part = text_of(arguments[1]);
  const std::int64_t days = floor_div(micros, micros_per_day);
  const std::int64_t in_day = micros - days * micros_per_day;
  const std::chrono::year_month_day date = civil(days);
  const std::int64_t first = days_of_civil(static_cast<int>(date.year()), 1, 1);
  const std::int64_t weekday = (days + 4) % 7 < 0 ? (days + 4) % 7 + 7 : (days + 4) % 7;  // 0: Sunday
  if (part == "YEAR") return static_cast<std::int64_t>(static_cast<int>(date.year()));
  if (part == "MONTH") return static_cast<std::int64_t>(static_cast<unsigned>(date.month()));
  if (part == "QUARTER") return static_cast<std::int64_t>((static_cast<unsigned>(date.month()) + 2) / 3);
  if (part == "DAY") return static_cast<std::int64_t>(static_cast<unsigned>(date.day()));
  if (part == "DAYOFWEEK") return weekday + 1;
  if (part == "DAYOFYEAR") return days - first + 1;
  if (part == "WEEK") return (days - first + 7 - weekday) / 7;  // Sundays until then
  if (part == "ISOWEEK" || part == "ISOYEAR") {
    const std::int64_t thursday = start_of_week(days, true) + 3;
    const std::chrono::year_month_day middle = civil(thursday);
    if (part == "ISOYEAR") return static_cast<std::int64_t>(static_cast<int>(middle.year()));
    return (thursday - days_of_civil(static_cast<int>(middle.year()), 1, 1)) / 7 + 1;
  }
  if (kind == Kind::date) return no_part(part, kind);
  if (part == "HOUR") return in_day / (3600 * micros_per_second);
  if (part == "MINUTE") return in_day / (60 * micros_per_second) % 60;
  if (part == "SECOND") return in_day / micros_per_second % 60;
  if (part == "MILLISECOND") return in_day / 1000 % 1000;
  if (part == "MICROSECOND") return in_day % micros_per_second;
  return no_part(part, kind);
}

}  // namespace serin::google_sql
