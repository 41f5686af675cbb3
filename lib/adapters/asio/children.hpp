#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>

#include "serin/async/async_sleeper.hpp"

// Coroutines beside the one that starts them, which waits for their end: nothing here runs on by itself.
namespace serin::async {

/// One child: how to give it up, and its end. Stays where it is until it has ended. Threads: its executor.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Starts it. \param on_end  called when it has ended, before anybody is woken
  template <class Executor, class OnEnd>
  void start(const Executor& executor, asio::awaitable<void> work, OnEnd on_end) {
    auto ended = [this, on_end = std::move(on_end)](const std::exception_ptr& thrown) {
      thrown_ = thrown;
      on_end();
      ended_.set();
    };
    is_started_ = true;
    asio::co_spawn(executor, std::move(work), asio::bind_cancellation_slot(signal_.slot(), std::move(ended)));
  }
  /// Asks it to end. Does nothing when it has.
  void give_up() {
    if (is_started_ && !ended_.is_set()) signal_.emit(asio::cancellation_type::terminal);
  }
  [[nodiscard]] AsyncEvent& ended() noexcept { return ended_; }
  [[nodiscard]] bool is_running() const noexcept { return is_started_ && !ended_.is_set(); }
  [[nodiscard]] bool threw() const noexcept { return thrown_ != nullptr; }
  /// Throws on what it threw.
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  asio::cancellation_signal signal_;
  AsyncEvent ended_;
  std::exception_ptr thrown_;
  bool is_started_ = false;
};

/// Waits until `child` has ended, whatever happens to the one that waits.
inline asio::awaitable<void> join(AsyncSleeper& sleeper, Child& child) {
  while (child.is_running()) static_cast<void>(co_await sleeper.wait(child.ended(), Instant::max()));
}

}  // namespace serin::async
