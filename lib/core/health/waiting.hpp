#pragma once
#include <condition_variable>
#include <mutex>

#include "serin/base/time.hpp"

namespace serin::health {

/// A pause that another thread can end. The one place of this module that uses the real clock: only to wait, never to
/// judge anything by it. Threads: any.
class Waker {
 public:
  /// Returns after `pause` or at wake(), whichever is first; true when it was woken.
  bool wait(Duration pause);
  /// Ends this wait and every later one.
  void wake();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;  // guarded by mutex_
};

}  // namespace serin::health
