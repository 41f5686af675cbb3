// Goal: a coroutine is a check: it answers later without a thread, and what it throws is its failure. Method: an
// executor that the test runs, time by hand.
#include "serin/async/coroutine_check.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <optional>
#include <stdexcept>

#include "serin/async/manual_sleeper.hpp"

namespace serin::async {
namespace {

struct ACoroutineCheck : testing::Test {
  std::optional<health::CheckAnswer> run(
      std::function<boost::asio::awaitable<health::CheckAnswer>(health::CheckContext)> ask) {
    std::optional<health::CheckAnswer> got;
    const auto check = coroutine_check(io.get_executor(), std::move(ask));
    check({.deadline = Deadline::after(time.now(), 2s), .stop = {}},
          [&got](health::CheckAnswer answer) { got = std::move(answer); });
    EXPECT_FALSE(got) << "it answers later";
    time.run(io);
    return got;
  }
  boost::asio::awaitable<health::CheckAnswer> slow(health::CheckContext context) {
    const Status slept = co_await time.sleep_until(time.now() + 1s);
    co_return slept && !context.deadline.passed(time.now()) ? health::CheckAnswer::pass()
                                                            : health::CheckAnswer::fail("late", "too late");
  }
  static boost::asio::awaitable<health::CheckAnswer> broken() {
    throw std::runtime_error("no such host");
    co_return health::CheckAnswer::pass();
  }
  boost::asio::io_context io;
  ManualSleeper time;
};

TEST_F(ACoroutineCheck, answers_when_it_is_done) {
  const auto answer = run([this](health::CheckContext context) { return slow(std::move(context)); });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, health::HealthStatus::up) << answer->error;
}

TEST_F(ACoroutineCheck, that_throws_has_failed) {
  const auto answer = run([](const health::CheckContext&) { return broken(); });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, health::HealthStatus::down);
  EXPECT_EQ(answer->reason, "exception");
  EXPECT_EQ(answer->error, "no such host");
}

}  // namespace
}  // namespace serin::async
