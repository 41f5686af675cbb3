#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin {
using namespace std::chrono_literals;

using Duration = std::chrono::nanoseconds;

/// A clock type without now(): an Instant can only come from a Clock that somebody passed in.
struct Monotonic {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Monotonic, Duration>;
  static constexpr bool is_steady = true;
};
/// The calendar's time, UTC, since 1970-01-01; may jump. Also without now().
struct Calendar {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Calendar, Duration>;
  static constexpr bool is_steady = false;
};

/// Time since this machine booted: for durations and deadlines. The same in every process of the machine.
using Instant = Monotonic::time_point;
/// Calendar time: for what people and tables read. Never for measuring a duration.
using WallTime = Calendar::time_point;

/// When a wait must have ended. Passed down, never added up.
class Deadline {
 public:
  explicit constexpr Deadline(Instant at) noexcept : at_(at) {}
  [[nodiscard]] static constexpr Deadline never() noexcept { return Deadline(Instant::max()); }
  [[nodiscard]] static constexpr Deadline after(Instant now, Duration wait) noexcept {
    return wait >= Instant::max() - now ? never() : Deadline(now + wait);
  }
  [[nodiscard]] constexpr Instant at() const noexcept { return at_; }
  [[nodiscard]] constexpr bool passed(Instant now) const noexcept { return now >= at_; }
  /// Time left, never negative.
  [[nodiscard]] constexpr Duration left(Instant now) const noexcept {
    return passed(now) ? Duration::zero() : at_ - now;
  }
  [[nodiscard]] constexpr Deadline sooner(Deadline other) const noexcept { return at_ < other.at_ ? *this : other; }
  friend constexpr auto operator<=>(Deadline, Deadline) = default;

 private:
  Instant at_;
};

/// "250ms", "20s", "5m", "1h30m", "2d", "0". Units: ns us ms s m h d; a number without a unit is refused unless it is
/// 0. Errors: invalid_argument, with the text. Pure.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
/// The shortest exact-enough form: "250ms", "20s", "5m", "1h30m"; three significant digits below a second.
[[nodiscard]] std::string format_duration(Duration duration);
/// "2026-04-09T18:03:00.250Z" (milliseconds).
[[nodiscard]] std::string format_rfc3339(WallTime time);
/// Errors: invalid_argument. Accepts "Z" and "+hh:mm", with or without a fraction.
[[nodiscard]] Result<WallTime> parse_rfc3339(std::string_view text);
/// "2026-04-09" as days since 1970-01-01. Errors: invalid_argument for anything but a real date in that form.
[[nodiscard]] Result<std::int64_t> parse_date(std::string_view text);
[[nodiscard]] std::string format_date(std::int64_t days);
[[nodiscard]] inline std::int64_t days_of(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time.time_since_epoch()).count();
}
[[nodiscard]] inline double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }
/// Whole seconds since the clock began, rounded down: the seconds in which traffic is counted.
[[nodiscard]] inline std::int64_t second_of(Instant at) {
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}
/// Rounded to the nearest nanosecond; saturates.
[[nodiscard]] Duration duration_of_seconds(double seconds);
/// Milliseconds since 1970, the form in which tables keep time.
[[nodiscard]] inline std::int64_t unix_ms(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
[[nodiscard]] inline WallTime wall_of_unix_ms(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

}  // namespace serin
