#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

// Private to the module.
namespace serin::serving {

/// A bounded pool of threads. Threads: any.
class Workers {
 public:
  Workers(int threads, std::size_t queue);
  /// Waits for the jobs that run; those that wait are dropped.
  ~Workers();
  /// False when the queue is full: nothing was taken.
  bool submit(std::function<void()> job);
  void stop();
  /// Jobs that are being run.
  [[nodiscard]] int running();

 private:
  void run();
  const std::size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  int running_ = 0;                         // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace serin::serving
