#pragma once
#include <functional>

#include "serin/ports/clock.hpp"

namespace serin {

/// Runs work beside the caller, on threads that are there and are bounded. Threads: any.
class Tasks {
 public:
  virtual ~Tasks() = default;
  /// Starts `work` now, on another thread. False: no thread is free, and nothing was taken; nobody waits in a queue.
  /// Whoever starts something waits for its end. `work` does not throw.
  [[nodiscard]] virtual bool start(std::function<void()> work) = 0;
  /// Waits until something that was started sets `ended`, however long it takes.
  virtual void join(Event& ended) = 0;
};

}  // namespace serin
