// Goal: hedging without threads takes the first answer, has ended its losers, and asks the budget. Method: fake time.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "serin/async/async_run.hpp"
#include "serin/async/manual_sleeper.hpp"
#include "serin/sim/world.hpp"

namespace serin::async {
namespace {

using Answer = Result<int>;

struct AsyncHedge : testing::Test {
  /// Request `n` of a call takes takes[n] and answers answers[n].
  asio::awaitable<Answer> request(AsyncContext c) {
    const auto number = static_cast<std::size_t>(c.hedge);
    sent.push_back(c.sleeper.now() - began);
    ++running;
    const Status slept = co_await c.sleeper.sleep_until(c.sleeper.now() + takes.at(number));
    --running;
    if (!slept) {
      ++cancelled;
      co_return pass(slept.error());
    }
    co_return answers.at(number);
  }
  static asio::awaitable<void> call(AsyncHedge& test, guard::Hedging element, Idempotency idempotency) {
    const auto guarded = guard::pipeline(element);
    const AsyncContext context{
        .sleeper = test.time, .random = test.random, .deadline = Deadline::never(), .idempotency = idempotency};
    const auto work = [&test](const AsyncContext& c) { return test.request(c); };
    test.answer = co_await async_run(guarded, context, work);
    test.took = test.time.now() - test.began;
    EXPECT_EQ(test.running, 0) << "the losers have ended";
  }
  Answer run(Idempotency idempotency = Idempotency::idempotent) {
    sent.clear();
    cancelled = 0;
    answer.reset();
    began = time.now();
    asio::co_spawn(io, call(*this, guard::Hedging{*hedge, budget}, idempotency),
                   [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
    time.run(io);
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(fail(Errc::internal, "it hangs"));
  }
  asio::io_context io;
  ManualSleeper time;
  sim::SeededRandom random{1};
  retry::InFlightBudget budget{{.ratio = 0.2, .min_retries = 2}};
  std::unique_ptr<guard::Hedge> hedge = guard::Hedge::make({.name = "db", .delay = 100ms, .max_extra = 2}).value();
  std::vector<Duration> takes{1h, 1h, 1h};
  std::vector<Answer> answers{0, 1, 2};
  std::vector<Duration> sent;
  std::optional<Answer> answer;
  Instant began;
  Duration took{};
  int running = 0;
  int cancelled = 0;
};

TEST_F(AsyncHedge, the_first_answer_wins_and_the_losers_have_ended) {
  takes = {1s, 50ms, 1h};
  EXPECT_EQ(run().value(), 1);
  EXPECT_EQ(took, 150ms);
  EXPECT_EQ(sent, (std::vector<Duration>{0ms, 100ms}));
  EXPECT_EQ(cancelled, 1);
  EXPECT_EQ(budget.left(), 1) << "what the hedge took is back";
  takes = {90ms, 1h, 1h};
  EXPECT_EQ(run().value(), 0);
  EXPECT_EQ(sent.size(), 1u) << "it was fast enough";
}

TEST_F(AsyncHedge, a_failure_sends_the_next_at_once_and_a_final_one_ends_the_race) {
  takes = {10ms, 10ms, 10ms};
  answers = {fail(Errc::unavailable, "no"), fail(Errc::unavailable, "no"), 2};
  EXPECT_EQ(run().value(), 2);
  EXPECT_EQ(sent, (std::vector<Duration>{0ms, 10ms, 20ms}));
  answers[0] = fail(Errc::not_found, "there is none");
  EXPECT_EQ(run().error().code(), Errc::not_found);
  EXPECT_EQ(sent.size(), 1u);
  answers = {fail(Errc::exhausted, "later"), 1, 2};
  EXPECT_EQ(run().error().code(), Errc::exhausted) << "a peer that says later is not asked twice";
  EXPECT_EQ(sent.size(), 1u);
}

TEST_F(AsyncHedge, only_calls_that_may_be_made_twice_and_only_within_the_budget) {
  takes = {1s, 1ms, 1ms};
  EXPECT_EQ(run(Idempotency::not_idempotent).value(), 0);
  EXPECT_EQ(sent.size(), 1u);
  ASSERT_TRUE(budget.try_retry(false));
  ASSERT_TRUE(budget.try_retry(false));
  EXPECT_EQ(run().value(), 0);
  EXPECT_EQ(sent.size(), 1u) << "the budget is empty";
}

}  // namespace
}  // namespace serin::async
