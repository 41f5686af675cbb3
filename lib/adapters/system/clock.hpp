#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/clock.hpp"

namespace serin {

/// SIGINT and SIGTERM as a value: they are blocked in every thread, and one thread waits for them. To be made first
/// thing in main(), before any other thread, so that all inherit the mask. Threads: any.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  [[nodiscard]] bool requested() const noexcept { return requested_; }
  /// As if a signal had come: for a program that decides to end by itself.
  void request();
  /// Forgets it, so that what must still be done (restoring traffic) can wait again. A further signal counts anew.
  void clear();
  /// Waits until `until` or until a stop is requested; true when it was.
  bool wait_until(Instant until);
  /// Waits for the request itself.
  void wait();
  /// Waits for `event`, until `until` or until a stop is requested. Errors: cancelled, when a stop was requested and
  /// the event is not set.
  Result<bool> wait_for(Event& event, Instant until);

 private:
  std::atomic<bool> requested_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event*> waited_for_;  // guarded by mutex_
  std::jthread listener_;
};

/// steady_clock and system_clock. Threads: any.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] WallTime wall() const override;
};

/// The same, and waits; a requested stop ends every wait. Threads: any.
class SystemSleeper final : public Sleeper {
 public:
  /// \param stop  outlives it
  explicit SystemSleeper(StopSignal& stop) : stop_(stop) {}
  [[nodiscard]] Instant now() const override { return clock_.now(); }
  [[nodiscard]] WallTime wall() const override { return clock_.wall(); }
  Status sleep_until(Instant until) override;
  Result<bool> wait(Event& event, Instant until) override;

 private:
  StopSignal& stop_;
  SystemClock clock_;
};

/// The same, and waits whatever was requested: for what must be finished, such as putting traffic back. Threads: any.
class PatientSleeper final : public Sleeper {
 public:
  [[nodiscard]] Instant now() const override { return clock_.now(); }
  [[nodiscard]] WallTime wall() const override { return clock_.wall(); }
  Status sleep_until(Instant until) override;
  Result<bool> wait(Event& event, Instant until) override;

 private:
  SystemClock clock_;
};

}  // namespace serin
