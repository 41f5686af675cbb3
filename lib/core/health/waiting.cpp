#include "waiting.hpp"

namespace serin::health {

bool Waker::wait(Duration pause) {
  std::unique_lock lock(mutex_);
  // An absolute time of the steady clock: some C libraries wait on the calendar's clock when given a duration.
  return changed_.wait_until(lock, std::chrono::steady_clock::now() + pause, [this] { return woken_; });
}

void Waker::wake() {
  {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

}  // namespace serin::health
