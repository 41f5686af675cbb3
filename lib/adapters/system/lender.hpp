#pragma once
#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"

namespace serin {

/// A bounded set of things that are lent out one user each; waiting for one ends at the caller's deadline. The one that
/// came back last is lent first. Threads: any.
template <class Thing>
class Lender {
 public:
  void add(std::unique_ptr<Thing> thing) { give(std::move(thing)); }
  /// Errors: deadline_exceeded, with `what` was not free in time.
  Result<std::unique_ptr<Thing>> take(Deadline deadline, const Clock& clock, std::string_view what) {
    std::unique_lock lock(mutex_);
    // In slices, because the deadline is measured on the clock that was passed in and not on the library's.
    while (idle_.empty()) {
      const Duration left = deadline.left(clock.now());
      if (left == Duration::zero())
        return fail(Errc::deadline_exceeded, "no " + std::string(what) + " was free in time");
      returned_.wait_for(lock, std::min<Duration>(left, 100ms));
    }
    auto thing = std::move(idle_.back());
    idle_.pop_back();
    return thing;
  }
  void give(std::unique_ptr<Thing> thing) {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(thing));
    }
    returned_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Thing>> idle_;  // guarded by mutex_
};

/// Gives the thing back on every way out.
template <class Thing>
struct Lent {
  Lender<Thing>& lender;
  std::unique_ptr<Thing> thing;
  Lent(Lender<Thing>& from, std::unique_ptr<Thing> taken) : lender(from), thing(std::move(taken)) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() { lender.give(std::move(thing)); }
};

}  // namespace serin
