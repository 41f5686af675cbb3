#include "serin/base/time.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace serin {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};
// "ms" before "m": the longest name that fits wins.
constexpr std::array units{Unit{"ns", 1},   Unit{"us", 1e3},   Unit{"ms", 1e6},   Unit{"s", 1e9},
                           Unit{"m", 60e9}, Unit{"h", 3600e9}, Unit{"d", 86400e9}};

const Unit* unit_at(std::string_view text) {
  const Unit* found = nullptr;
  for (const Unit& unit : units)
    if (text.starts_with(unit.name) && (found == nullptr || unit.name.size() > found->name.size())) found = &unit;
  return found;
}

bool digits(std::string_view text, std::size_t from, std::size_t count, int& value) {
  if (from + count > text.size()) return false;
  value = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  return true;
}

std::unexpected<Error> bad_time(std::string_view text) {
  return fail(Errc::invalid_argument, fmt::format("'{}' is no time like 2026-04-09T18:03:00Z", text));
}

}  // namespace

Duration duration_of_seconds(double seconds) {
  const double ns = seconds * 1e9;
  if (!(ns < 9.2e18)) return Duration::max();
  if (ns < -9.2e18) return Duration::min();
  return Duration(std::llround(ns));
}

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(Errc::invalid_argument, fmt::format("'{}' is no duration like 250ms, 20s, 5m or 1h30m", text));
  };
  if (text == "0") return Duration::zero();
  if (text.empty()) return bad();
  double total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    double number = 0;
    if (rest[0] < '0' || rest[0] > '9') return bad();
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (error != std::errc()) return bad();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const Unit* unit = unit_at(rest);
    if (unit == nullptr) return bad();
    rest.remove_prefix(unit->name.size());
    total += number * unit->nanoseconds;
  }
  if (!(total < 9.2e18)) return fail(Errc::invalid_argument, fmt::format("'{}' is longer than 292 years", text));
  return Duration(std::llround(total));
}

std::string format_duration(Duration duration) {
  if (duration < Duration::zero()) return "-" + format_duration(-duration);
  const auto ns = duration.count();
  if (ns < 1'000) return fmt::format("{}ns", ns);
  if (ns < 1'000'000) return fmt::format("{:.3g}us", static_cast<double>(ns) / 1e3);
  if (ns < 999'500'000) return fmt::format("{:.3g}ms", static_cast<double>(ns) / 1e6);
  if (ns < 60'000'000'000) {
    const double seconds = static_cast<double>(ns) / 1e9;
    return fmt::format("{:.3g}s", seconds);
  }
  const auto total = std::chrono::round<std::chrono::seconds>(duration).count();
  std::string out;
  const auto part = [&](std::int64_t value, char unit) {
    if (value != 0) out += fmt::format("{}{}", value, unit);
  };
  part(total / 86400, 'd');
  part(total / 3600 % 24, 'h');
  part(total / 60 % 60, 'm');
  part(total % 60, 's');
  return out;
}

std::string format_date(std::int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

Result<std::int64_t> parse_date(std::string_view text) {
  int year = 0;
  int month = 0;
  int day = 0;
  const bool shape = text.size() == 10 && text[4] == '-' && text[7] == '-' && digits(text, 0, 4, year) &&
                     digits(text, 5, 2, month) && digits(text, 8, 2, day);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!shape || !date.ok()) return fail(Errc::invalid_argument, fmt::format("'{}' is no date like 2026-04-09", text));
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::string format_rfc3339(WallTime time) {
  const std::int64_t ms = unix_ms(time);
  const std::int64_t days = days_of(time);
  const std::int64_t in_day = ms - days * 86'400'000;
  return fmt::format("{}T{:02}:{:02}:{:02}.{:03}Z", format_date(days), in_day / 3'600'000, in_day / 60'000 % 60,
                     in_day / 1000 % 60, in_day % 1000);
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || (text[10] != 'T' && text[10] != ' ')) return bad_time(text);
  const auto days = parse_date(text.substr(0, 10));
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!days || !digits(text, 11, 2, hour) || text[13] != ':' || !digits(text, 14, 2, minute) || text[16] != ':' ||
      !digits(text, 17, 2, second) || hour > 23 || minute > 59 || second > 60)
    return bad_time(text);
  std::string_view rest = text.substr(19);
  double fraction = 0;
  if (rest.starts_with('.')) {
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), fraction, std::chars_format::fixed);
    if (error != std::errc() || end == rest.data() + 1) return bad_time(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  std::int64_t offset = 0;
  if (rest != "Z" && rest != "z") {
    int hours = 0;
    int minutes = 0;
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || !digits(rest, 1, 2, hours) ||
        !digits(rest, 4, 2, minutes) || hours > 23 || minutes > 59)
      return bad_time(text);
    offset = (hours * 3600 + minutes * 60) * (rest[0] == '-' ? -1 : 1);
  }
  const std::int64_t seconds = *days * 86'400 + hour * 3600 + minute * 60 + second - offset;
  return WallTime(std::chrono::seconds(seconds) + duration_of_seconds(fraction));
}

}  // namespace serin
