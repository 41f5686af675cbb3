#include "serin/system/tasks.hpp"

#include <atomic>
#include <utility>

#include "serin/base/error.hpp"

namespace serin {

SystemTasks::SystemTasks(std::size_t threads) : idle_(threads) {
  SERIN_ASSERT(threads >= 1);
  jobs_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

SystemTasks::~SystemTasks() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  arrived_.notify_all();
}

bool SystemTasks::start(std::function<void()> work) {
  {
    const std::scoped_lock lock(mutex_);
    if (idle_ == 0) return false;
    --idle_;  // a thread is taken from now on, also when it has yet to wake up
    jobs_.push_back(std::move(work));
  }
  arrived_.notify_one();
  return true;
}

void SystemTasks::join(Event& ended) {
  const std::atomic<bool> never = false;
  ended.block_until(Instant::max(), never);
}

void SystemTasks::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    std::function<void()> job = std::move(jobs_.back());
    jobs_.pop_back();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    ++idle_;
  }
}

}  // namespace serin
