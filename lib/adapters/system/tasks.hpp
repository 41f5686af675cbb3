#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "serin/ports/tasks.hpp"

namespace serin {

/// So many threads, made at once and kept. Threads: any.
class SystemTasks final : public Tasks {
 public:
  /// \param threads  that may run at once; >= 1
  explicit SystemTasks(std::size_t threads);
  /// Waits for what runs.
  ~SystemTasks() override;
  [[nodiscard]] bool start(std::function<void()> work) override;
  void join(Event& ended) override;

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::function<void()>> jobs_;  // guarded by mutex_, like the rest; never more than `idle_`
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace serin
