#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <list>

#include "serin/async/children.hpp"

namespace serin::async {

/// Who starts coroutines waits for them: a gate that is closed and awaited. Threads: its executor, which does one thing
/// at a time.
class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  /// Closed and empty by now.
  ~TaskGroup();
  /// Starts `work`. Errors: rejected, once it is closed. What `work` throws is kept and thrown on by close(), the first
  /// one.
  Status start(asio::awaitable<void> work);
  /// Asks all that run to end.
  void give_up();
  /// Takes nothing more in, and waits until all have ended, however long that takes: give_up() first, to hurry.
  asio::awaitable<void> close(AsyncSleeper& sleeper);
  [[nodiscard]] std::size_t running() const noexcept { return running_; }

 private:
  asio::any_io_executor executor_;
  std::list<Child> children_;  // ended ones go with the next start
  std::size_t running_ = 0;
  bool is_closed_ = false;
};

}  // namespace serin::async
