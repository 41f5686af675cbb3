// Goal: a coroutine waits for a callback, goes on where it was, and can give up. Method: callers on this thread and on
// others; an executor that the test runs.
#include "serin/async/called_back.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <thread>

#include "serin/base/error.hpp"

namespace serin::async {
namespace {

using Back = std::function<void(Result<std::string>)>;

struct ACaller : testing::Test {
  /// Waits for whoever `start` asks, and notes what came and on which thread.
  asio::awaitable<void> wait_for(std::function<void(Back)> start, std::stop_source stop) {
    co_await asio::this_coro::throw_if_cancelled(false);
    got = co_await called_back<Result<std::string>>(std::move(start), std::move(stop));
    resumed_on = std::this_thread::get_id();
  }
  void spawn(std::function<void(Back)> start, std::stop_source stop = std::stop_source(std::nostopstate)) {
    asio::co_spawn(io, wait_for(std::move(start), std::move(stop)),
                   asio::bind_cancellation_slot(cancel.slot(), [](const std::exception_ptr&) {}));
  }
  asio::io_context io;
  asio::cancellation_signal cancel;
  std::optional<Result<std::string>> got;
  std::jthread::id resumed_on;
};

TEST_F(ACaller, that_calls_at_once_is_heard_later) {
  spawn([this](const Back& back) {
    back("at once");
    EXPECT_FALSE(got) << "not inside of the call";
  });
  io.run();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->value(), "at once");
}

TEST_F(ACaller, on_another_thread_lets_the_coroutine_go_on_where_it_was) {
  std::jthread other;
  spawn([&other](Back back) { other = std::jthread([back = std::move(back)] { back("from elsewhere"); }); });
  io.run();  // does not end before the call: somebody waits
  ASSERT_TRUE(got);
  EXPECT_EQ(got->value(), "from elsewhere");
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

TEST_F(ACaller, is_told_when_the_coroutine_gives_up_and_waited_for) {
  std::stop_source stop;
  Back kept;
  spawn([&kept](Back back) { kept = std::move(back); }, stop);
  io.poll();
  ASSERT_TRUE(kept);
  cancel.emit(asio::cancellation_type::terminal);
  io.poll();
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_FALSE(got) << "what was started has not ended yet";
  kept(fail(Errc::cancelled, "given up"));
  kept = nullptr;
  io.run();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error().code(), Errc::cancelled);
}

}  // namespace
}  // namespace serin::async
