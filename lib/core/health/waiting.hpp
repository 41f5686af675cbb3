#pragma once
#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "serin/base/time.hpp"

namespace serin::health {

/// Lets callers in until it is closed; who closes it waits for those inside. Threads: any.
class Gate {
 public:
  /// False once it is closed; otherwise leave() must follow.
  [[nodiscard]] bool enter();
  void leave();
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  unsigned inside_ = 0;  // guarded by mutex_
  bool closed_ = false;  // guarded by mutex_
};

/// What a worker does. Each has workers of its own, so that checks that hang hold up neither of the others.
enum class Lane : std::uint8_t {
  blocking,  ///< runs a check that blocks
  starting,  ///< starts a check that answers later; starts are short, so they may wait for one another
  telling,   ///< calls listeners; one worker, and one piece of work may wait
};

/// One thread that keeps time, and a bounded number that do work. The one place of this module that uses the real
/// clock: only to wait, never to judge anything by it. Threads: any.
class Threads {
 public:
  /// \param blocking  > 0; workers of that lane. Threads are started when there is work for them.
  explicit Threads(unsigned blocking);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  /// Calls `poll` on a thread of its own, again after the pause that it answers, and at wake(). Once.
  void schedule(std::function<Duration()> poll);
  void wake();
  /// False at once when every worker of the lane is at work and no more work may wait, and after end(). The work does
  /// not throw.
  bool submit(Lane lane, std::function<void()> work);
  /// Ends the threads: true when all did. A worker that is still at work after `grace` is left behind (decision 0008).
  bool end(Duration grace);

 private:
  struct Shared;
  struct Worker;
  static void work(Shared& shared, Lane lane, Worker& me);
  std::shared_ptr<Shared> shared_;  // shared with the workers: one that hangs outlives this object
  std::jthread scheduler_;
};

}  // namespace serin::health
