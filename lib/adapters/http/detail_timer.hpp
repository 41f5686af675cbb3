#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "serin/base/time.hpp"

namespace serin::http {

class Timers;

/// Calls back once, at or after its time. Owned by what it is for; a timer that is gone calls nobody. Threads: its
/// loop.
class Timer {
 public:
  Timer(Timers& timers, std::function<void()> action) : timers_(timers), action_(std::move(action)) {}
  ~Timer() { stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void at(Instant when);
  /// Moves it only if that is earlier: whoever is called looks at what is due and starts it again. So a request that
  /// ends in time costs no more than a comparison.
  void at_latest(Instant when) {
    if (index_ == none || when < when_) at(when);
  }
  void stop();

 private:
  friend class Timers;
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  Timers& timers_;
  std::function<void()> action_;
  Instant when_{};
  std::size_t index_ = none;  // in the heap
};

/// A binary heap of timers that know their place. Threads: its loop.
class Timers {
 public:
  /// When the next one is due; Instant::max() without any.
  [[nodiscard]] Instant next() const noexcept { return heap_.empty() ? Instant::max() : heap_.front()->when_; }
  /// Runs those due; a timer started meanwhile for a time that has passed has its turn in the next call.
  void run(Instant now);

 private:
  friend class Timer;
  void place(std::size_t index, Timer* timer);
  void up(std::size_t index);
  void down(std::size_t index);
  void remove(std::size_t index);
  std::vector<Timer*> heap_;
};

}  // namespace serin::http
