#include "serin/ports/clock.hpp"

#include <chrono>

namespace serin {

void Event::set() noexcept {
  // Notified under the lock: the one who waits can only go away after it is released.
  const std::scoped_lock lock(mutex_);
  set_ = true;
  changed_.notify_all();
}

bool Event::is_set() const noexcept {
  const std::scoped_lock lock(mutex_);
  return set_;
}

void Event::nudge() noexcept {
  const std::scoped_lock lock(mutex_);
  changed_.notify_all();
}

bool Event::block_until(Instant until, const std::atomic<bool>& cancelled) noexcept {
  std::unique_lock lock(mutex_);
  const auto done = [&] { return set_ || cancelled.load(); };
  if (until == Instant::max()) {
    changed_.wait(lock, done);
  } else {
    const auto when = std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(until.time_since_epoch()));
    changed_.wait_until(lock, when, done);
  }
  return set_;
}

Status sleep_until(Sleeper& sleeper, Instant until, const std::stop_token& stop) {
  if (!stop.stop_possible()) return sleeper.sleep_until(until);
  Event stopped;
  const std::stop_callback on_stop(stop, [&stopped] { stopped.set(); });
  SERIN_TRY(const bool woken, sleeper.wait(stopped, until));
  if (woken) return fail(Errc::cancelled, "the caller gave up");
  return {};
}

}  // namespace serin
