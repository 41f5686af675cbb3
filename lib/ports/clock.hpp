#pragma once
#include "serin/base/time.hpp"

namespace serin {

/// Tells the time. Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
};

/// A clock that can also wait. Threads: any.
class Sleeper : public Clock {
 public:
  /// Returns at or after `until`, never before.
  /// Errors: cancelled, at once, when the process was asked to stop (Ctrl-C, SIGTERM).
  virtual Status sleep_until(Instant until) = 0;
  Status sleep_for(Duration wait) { return sleep_until(Deadline::after(now(), wait).at()); }
};

}  // namespace serin
