#include "serin/system/clock.hpp"

#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace serin {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that closed its end is an error of write(), not the end of this process.
  std::signal(SIGPIPE, SIG_IGN);
  listener_ = std::jthread([this](const std::stop_token& stop) {
    const sigset_t waited = stop_signals();
    while (!stop.stop_requested()) {
      const timespec tick{.tv_sec = 0, .tv_nsec = 100'000'000};
      if (sigtimedwait(&waited, nullptr, &tick) > 0) request();
    }
  });
}

StopSignal::~StopSignal() = default;

void StopSignal::request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
    for (Event* const event : waited_for_) event->nudge();
  }
  changed_.notify_all();
}

void StopSignal::clear() {
  const std::lock_guard lock(mutex_);
  requested_ = false;
}

bool StopSignal::wait_until(Instant until) {
  std::unique_lock lock(mutex_);
  const auto when = std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(until.time_since_epoch()));
  return changed_.wait_until(lock, when, [this] { return requested_.load(); });
}

void StopSignal::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return requested_.load(); });
}

Result<bool> StopSignal::wait_for(Event& event, Instant until) {
  {
    const std::lock_guard lock(mutex_);
    waited_for_.push_back(&event);
  }
  const bool set = event.block_until(until, requested_);
  {
    const std::lock_guard lock(mutex_);
    std::erase(waited_for_, &event);
  }
  if (!set && requested_) return fail(Errc::cancelled, "a stop was requested");
  return set;
}

Instant SystemClock::now() const { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }
WallTime SystemClock::wall() const { return WallTime(std::chrono::system_clock::now().time_since_epoch()); }

Status SystemSleeper::sleep_until(Instant until) {
  if (stop_.wait_until(until)) return fail(Errc::cancelled, "a stop was requested");
  return {};
}

Result<bool> SystemSleeper::wait(Event& event, Instant until) { return stop_.wait_for(event, until); }

Result<bool> PatientSleeper::wait(Event& event, Instant until) {
  const std::atomic<bool> never = false;
  return event.block_until(until, never);
}

Status PatientSleeper::sleep_until(Instant until) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto when = std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(until.time_since_epoch()));
  never.wait_until(lock, when, [] { return false; });
  return {};
}

}  // namespace serin
