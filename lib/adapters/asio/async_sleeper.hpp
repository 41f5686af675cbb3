#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"

namespace serin::async {

namespace asio = boost::asio;

/// Happens once, and one coroutine may be waiting for it. Threads: its executor, which does one thing at a time.
class AsyncEvent {
 public:
  AsyncEvent() = default;
  AsyncEvent(const AsyncEvent&) = delete;
  AsyncEvent& operator=(const AsyncEvent&) = delete;
  void set() noexcept {
    is_set_ = true;
    if (parked_ != nullptr) parked_->cancel();
  }
  [[nodiscard]] bool is_set() const noexcept { return is_set_; }
  /// For those who implement AsyncSleeper::wait(): returns when it is set, when `timer` ends or is cancelled, or when
  /// the coroutine is. Nothing says which.
  asio::awaitable<void> park(asio::steady_timer& timer);

 private:
  asio::steady_timer* parked_ = nullptr;
  bool is_set_ = false;
};

/// A clock that coroutines can wait on. Threads: the executor of whoever waits.
class AsyncSleeper : public Clock {
 public:
  /// Waits until `event` is set, at `until` at the latest; returns whether it was set.
  /// Errors: cancelled, through the coroutine's cancellation slot. \param event  outlives the wait
  virtual asio::awaitable<Result<bool>> wait(AsyncEvent& event, Instant until) = 0;
  /// Returns at or after `until`. Errors: cancelled, likewise.
  asio::awaitable<Status> sleep_until(Instant until);
};

/// Real time: one timer a wait, none for what does not wait. Threads: any executor.
class TimerSleeper final : public AsyncSleeper {
 public:
  /// \param clock  outlives it; its instants are those of steady_clock
  explicit TimerSleeper(const Clock& clock) : clock_(clock) {}
  [[nodiscard]] Instant now() const override { return clock_.now(); }
  [[nodiscard]] WallTime wall() const override { return clock_.wall(); }
  asio::awaitable<Result<bool>> wait(AsyncEvent& event, Instant until) override;

 private:
  const Clock& clock_;
};

}  // namespace serin::async
