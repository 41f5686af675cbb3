#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/time_zone.hpp"

namespace serin::watch {

/// When something is due, as crontab(5) says it. Bit n of a set stands for the value n.
struct Cron {
  std::uint64_t minutes = 0;  ///< 0 to 59
  std::uint32_t hours = 0;    ///< 0 to 23
  std::uint32_t days = 0;     ///< of the month, 1 to 31
  std::uint16_t months = 0;   ///< 1 to 12
  std::uint8_t weekdays = 0;  ///< 0 Sunday to 6 Saturday
  bool either_day = false;    ///< the day of the month or the day of the week, as both were named
  bool around_clock = false;  ///< the hours begin with '*': goes by time that passes, not by what clocks show
  std::string text = {};      ///< as it was written
  friend bool operator==(const Cron&, const Cron&) = default;
};

/// "MINUTE HOUR DAY MONTH WEEKDAY" with lists, ranges, steps ("*/5", "8-18/2"), names of months and days in any case, 7
/// for Sunday; or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually. When both days are named, either
/// of them will do; when one of them begins with '*', both have to hold (Vixie's rule).
/// Errors: invalid_argument: what cannot be read, and what never comes, as the 30th of February. Pure.
[[nodiscard]] Result<Cron> parse_cron(std::string_view text);

/// The first time after `after` at which it is due. Where clocks are put forward, a time that is left out is due at
/// that moment, once, however many are left out; where they are put back, a time that comes twice is due the first
/// time. Hours that begin with '*' go by time that passes instead: nothing is added, and nothing is left out (Vixie's
/// wildcard jobs; a check of every ten minutes must not pause for an hour in autumn).
/// Looks at most 41 years ahead, the longest gap between two 29ths of February that are the same weekday. Pure.
[[nodiscard]] WallTime next_after(const Cron& cron, const TimeZone& zone, WallTime after);

}  // namespace serin::watch
