#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin {

/// Tells the time. Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
};

/// Happens once, and somebody may be waiting for it: so that waiting needs no looking. Waited for with Sleeper::wait().
/// Threads: any set it, one waits. Whoever sets it must be done before it goes: set it under the lock that its owner
/// takes before it leaves, or end with a join.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void set() noexcept;
  [[nodiscard]] bool is_set() const noexcept;

  // For those who implement Sleeper::wait() on a clock that is steady_clock.
  /// Blocks until it is set, until `cancelled` is true and nudge() was called after that, or until the time. Returns
  /// whether it is set.
  bool block_until(Instant until, const std::atomic<bool>& cancelled) noexcept;
  /// Makes block_until() look again.
  void nudge() noexcept;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;  // guarded by mutex_
};

/// A clock that can also wait. Threads: any.
class Sleeper : public Clock {
 public:
  /// Returns at or after `until`, never before.
  /// Errors: cancelled, at once, when the process was asked to stop (Ctrl-C, SIGTERM).
  virtual Status sleep_until(Instant until) = 0;
  /// Waits until `event` is set, at `until` at the latest; returns whether it was set. Errors: as sleep_until().
  virtual Result<bool> wait(Event& event, Instant until) = 0;
  Status sleep_for(Duration wait) { return sleep_until(Deadline::after(now(), wait).at()); }
};

/// As Sleeper::sleep_until(), and ends at once when `stop` is requested. Errors: cancelled.
Status sleep_until(Sleeper& sleeper, Instant until, const std::stop_token& stop);

}  // namespace serin
