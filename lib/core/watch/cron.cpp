#include "serin/watch/cron.hpp"

namespace serin::watch {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr days horizon{41 * 366};

bool has_day(const Cron& cron, local_days day) {
  const std::chrono::year_month_day date(day);
  if ((cron.months >> static_cast<unsigned>(date.month()) & 1) == 0) return false;
  const bool in_month = (cron.days >> static_cast<unsigned>(date.day()) & 1) != 0;
  const bool in_week = (cron.weekdays >> std::chrono::weekday(day).c_encoding() & 1) != 0;
  return cron.either_day ? in_month || in_week : in_month && in_week;
}

bool has_minute(const Cron& cron, seconds of_day) {
  const auto hour = of_day / hours(1);
  const auto minute = of_day % hours(1) / minutes(1);
  return (cron.hours >> hour & 1) != 0 && (cron.minutes >> minute & 1) != 0;
}

/// By what clocks show: their times in order, each at the moment that stands for it. Those moments never go backwards,
/// so the first that is late enough is the answer.
WallTime next_shown(const Cron& cron, const TimeZone& zone, WallTime after) {
  const LocalTime from = floor<minutes>(zone.local(after));
  const local_days first = floor<days>(from);
  for (local_days day = first; day <= first + horizon; day += days(1)) {
    if (!has_day(cron, day)) continue;
    for (seconds of_day = day == first ? from - first : seconds(0); of_day < days(1); of_day += minutes(1)) {
      if (!has_minute(cron, of_day)) continue;
      if (const LocalMoments when = zone.moments(day + of_day); when.first > after) return when.first;
    }
  }
  return WallTime::max();
}

/// By time that passes: minute after minute, over days that do not match at once.
WallTime next_passing(const Cron& cron, const TimeZone& zone, WallTime after) {
  WallTime at = floor<seconds>(after);
  const LocalTime shown = zone.local(at);
  at += minutes(1) - (shown - floor<minutes>(shown));
  for (const WallTime end = at + horizon; at <= end;) {
    const LocalTime now = zone.local(at);
    const local_days day = floor<days>(now);
    if (!has_day(cron, day)) {
      local_days next = day + days(1);
      while (!has_day(cron, next) && next - day <= horizon) next += days(1);
      // The midnight itself may be left out or come twice; either way this is not before the day begins.
      at = std::max(at + minutes(1), zone.moments(LocalTime(next)).first);
      continue;
    }
    if (has_minute(cron, now - day)) return at;
    at += minutes(1);
  }
  return WallTime::max();
}

}  // namespace

WallTime next_after(const Cron& cron, const TimeZone& zone, WallTime after) {
  return cron.around_clock ? next_passing(cron, zone, after) : next_shown(cron, zone, after);
}

}  // namespace serin::watch
