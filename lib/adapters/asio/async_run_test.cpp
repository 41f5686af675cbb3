// Goal: the coroutine form of each element decides as the blocking form does, waits without a thread, and gives
// everything back however a call ends. Method: fake time that moves when every coroutine waits; a strand of real
// threads for the bulkhead.
#include "serin/async/async_run.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serin/async/manual_sleeper.hpp"
#include "serin/async/task_group.hpp"
#include "serin/sim/world.hpp"
#include "serin/system/clock.hpp"

namespace serin::async {
namespace {

using Answer = Result<int>;
using Work = std::function<asio::awaitable<Answer>(const AsyncContext&)>;

struct AsyncCall : testing::Test {
  AsyncContext context(Duration within = 1h) {
    return {.sleeper = time,
            .random = random,
            .deadline = Deadline::after(time.now(), within),
            .idempotency = Idempotency::idempotent};
  }
  /// Runs one call to its end on fake time. \param cancel_after  gives it up then
  template <class Pipeline>
  Answer run(const Pipeline& guarded, Work work, Duration within = 1h, std::optional<Duration> cancel_after = {}) {
    std::optional<Answer> answer;
    asio::cancellation_signal signal;
    const auto ended = [&](const std::exception_ptr& thrown, std::optional<Answer> got) {
      if (thrown) std::rethrow_exception(thrown);
      answer = std::move(got);
    };
    asio::co_spawn(io, wrapped(guarded, std::move(work), context(within)),
                   asio::bind_cancellation_slot(signal.slot(), ended));
    if (cancel_after) {
      time.run(io, time.now() + *cancel_after);
      signal.emit(asio::cancellation_type::terminal);
    }
    time.run(io);
    EXPECT_TRUE(answer.has_value()) << "the call ended";
    return answer ? *std::move(answer) : Answer(fail(Errc::internal, "it hangs"));
  }
  /// co_spawn wants a value that can be made without one.
  template <class Pipeline>
  static asio::awaitable<std::optional<Answer>> wrapped(Pipeline guarded, Work work, AsyncContext context) {
    Answer answer = co_await async_run(std::move(guarded), context, std::move(work));
    co_return answer;
  }
  /// Answers after `takes`, or says that it was cancelled.
  Work answering(Duration takes, Answer answer = 42) {
    return [this, takes, answer](const AsyncContext& c) { return slow(c, takes, answer); };
  }
  asio::awaitable<Answer> slow(AsyncContext c, Duration takes, Answer answer) {
    ++begun;
    attempts.push_back(c.attempt);
    lefts.push_back(c.deadline.left(c.sleeper.now()));
    ++running;
    const Status slept = co_await c.sleeper.sleep_until(c.sleeper.now() + takes);
    --running;
    if (!slept) {
      ++cancelled;
      co_return pass(slept.error());
    }
    co_return answer;
  }

  asio::io_context io;
  ManualSleeper time;
  sim::SeededRandom random{1};
  int begun = 0;
  int running = 0;
  int cancelled = 0;
  std::vector<int> attempts;
  std::vector<Duration> lefts;
  retry::Retry policy =
      retry::Retry::make({.max_attempts = 3, .backoff = {.first = 100ms, .jitter = retry::Jitter::none}}).value();
  retry::InFlightBudget budget{{.ratio = 0.2, .min_retries = 2}};
  std::unique_ptr<breaker::Breaker> breaker =
      breaker::Breaker::make({.name = "db", .calls = 4, .min_calls = 4, .half_open_calls = 1}).value();
  std::unique_ptr<limit::Bulkhead> bulkhead =
      limit::Bulkhead::make({.name = "db", .most = 1, .most_waiting = 4}).value();
};

TEST_F(AsyncCall, passes_through_all_elements_and_is_tried_again) {
  const auto guarded =
      guard::pipeline(guard::TotalDeadline{3s}, guard::Retrying{policy, budget}, guard::Breaking{*breaker},
                      guard::Bounded{*bulkhead}, guard::AttemptTimeout{800ms});
  const Instant began = time.now();
  const Work third_time = [&](const AsyncContext& c) {
    return slow(c, 10ms, c.attempt < 3 ? Answer(fail(Errc::unavailable, "no")) : Answer(42));
  };
  EXPECT_EQ(run(guarded, third_time).value(), 42);
  EXPECT_EQ(attempts, (std::vector{1, 2, 3}));
  EXPECT_EQ(lefts, (std::vector<Duration>{800ms, 800ms, 800ms}));
  EXPECT_EQ(time.now() - began, 10ms + 100ms + 10ms + 200ms + 10ms);
  EXPECT_EQ(breaker->snapshot(time.now()).failures, 2);
  EXPECT_EQ(bulkhead->snapshot().inside, 0);
}

TEST_F(AsyncCall, a_timed_out_attempt_is_cancelled_and_has_ended_before_the_next_begins) {
  const auto guarded = guard::pipeline(guard::Retrying{policy, budget}, guard::AttemptTimeout{1s});
  const Work work = [&](const AsyncContext& c) {
    EXPECT_EQ(running, 0) << "the one before has ended";
    return slow(c, c.attempt < 2 ? 1h : Duration(1ms), 7);
  };
  const Instant began = time.now();
  EXPECT_EQ(run(guarded, work).value(), 7);
  EXPECT_EQ(cancelled, 1);
  EXPECT_EQ(time.now() - began, 1s + 100ms + 1ms);
  const Answer late = run(guard::pipeline(guard::TotalDeadline{2s}), answering(1h));
  EXPECT_EQ(late.error().code(), Errc::deadline_exceeded);
  EXPECT_EQ(late.error().detail(), "no answer within 2s");
  EXPECT_EQ(running, 0);
}

TEST_F(AsyncCall, an_open_breaker_keeps_calls_away_and_the_fallback_answers) {
  const auto guarded =
      guard::pipeline(guard::Fallback{[](const Error&) -> Answer { return -1; }}, guard::Breaking{*breaker});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(run(guarded, answering(1ms, fail(Errc::unavailable, "no"))).value(), -1);
  EXPECT_EQ(begun, 4);
}

TEST_F(AsyncCall, a_peer_that_asks_for_time_gets_it) {
  const auto guarded = guard::pipeline(guard::Retrying{policy, budget});
  const Work work = [&](const AsyncContext& c) {
    if (c.attempt == 1) c.ask_later(5s);
    return slow(c, 0s, c.attempt == 1 ? Answer(fail(Errc::exhausted, "later")) : Answer(1));
  };
  const Instant began = time.now();
  EXPECT_EQ(run(guarded, work).value(), 1);
  EXPECT_GE(time.now() - began, 5s);
  EXPECT_LE(time.now() - began, 7500ms);
  EXPECT_EQ(run(guarded, work, 4s).error().code(), Errc::exhausted) << "it ends at once when that is past the deadline";
}

TEST_F(AsyncCall, pace_throttle_adaptive_limit_and_chaos_have_their_coroutine_form) {
  auto rate = limit::RateLimit::make({.name = "db", .rate = 10, .burst = 1}).value();
  auto throttle = limit::Throttle::make({.name = "db"}).value();
  auto adaptive = limit::AdaptiveLimit::make({.name = "db"}).value();
  guard::ChaosOptions chaos{.latency_rate = 1, .latency = 2s};
  const auto guarded = guard::pipeline(guard::Paced{*rate}, guard::Throttled{*throttle}, guard::Adapting{*adaptive},
                                       guard::Chaos{chaos});
  const Instant began = time.now();
  EXPECT_EQ(run(guarded, answering(0s)).value(), 42);
  EXPECT_EQ(time.now() - began, 2s);
  chaos = {.fault_rate = 1};
  EXPECT_EQ(run(guarded, answering(0s)).error().code(), Errc::unavailable);
  EXPECT_EQ(run(guarded, answering(0s), 50ms).error().code(), Errc::rejected) << "no turn in time";
}

TEST_F(AsyncCall, a_bulkhead_is_waited_for_in_order_without_a_thread) {
  const auto guarded = guard::pipeline(guard::Bounded{*bulkhead});
  TaskGroup group(io.get_executor());
  std::string order;
  struct Caller {
    static asio::awaitable<void> call(AsyncCall& test, decltype(guarded) pipeline, char name, std::string& order) {
      Work work = [&test](const AsyncContext& c) { return test.slow(c, 1s, 1); };
      const Answer answer = co_await async_run(pipeline, test.context(10s), std::move(work));
      order += answer ? name : '-';
    }
  };
  for (const char name : {'a', 'b', 'c'}) ASSERT_TRUE(group.start(Caller::call(*this, guarded, name, order)));
  const Instant began = time.now();
  time.run(io);
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(time.now() - began, 3s) << "one after the other, each at once when the one before left";
  const auto held = bulkhead->try_enter();
  EXPECT_EQ(run(guarded, answering(0s), 1s).error().code(), Errc::deadline_exceeded);
  EXPECT_EQ(bulkhead->snapshot().waiting, 0);
  EXPECT_EQ(group.running(), 0u);
}

TEST_F(AsyncCall, given_up_at_any_moment_everything_is_back) {
  // The whole takes 10 + 100 + 10 + 200 + 10 ms and waits 500 ms for its place: every 5 ms of that it is given up once.
  const auto guarded =
      guard::pipeline(guard::TotalDeadline{10s}, guard::Retrying{policy, budget}, guard::Breaking{*breaker},
                      guard::Bounded{*bulkhead}, guard::AttemptTimeout{800ms});
  for (Duration after = 0ms; after < 840ms; after += 5ms) {
    breaker->reset();
    std::optional<Result<limit::Place>> held(bulkhead->try_enter());
    const Instant leaves = time.now() + 500ms;
    TaskGroup group(io.get_executor());
    struct Holder {
      static asio::awaitable<void> hold(ManualSleeper& sleeper, std::optional<Result<limit::Place>>& place,
                                        Instant until) {
        static_cast<void>(co_await sleeper.sleep_until(until));
        place.reset();
      }
    };
    ASSERT_TRUE(group.start(Holder::hold(time, held, leaves)));
    const Work failing = [&](const AsyncContext& c) { return slow(c, 10ms, fail(Errc::unavailable, "no")); };
    EXPECT_FALSE(run(guarded, failing, 1h, after).has_value());
    EXPECT_EQ(running, 0) << after.count();
    EXPECT_EQ(bulkhead->snapshot().inside, 0) << after.count();
    EXPECT_EQ(bulkhead->snapshot().waiting, 0) << after.count();
    EXPECT_EQ(budget.left(), 1) << after.count();
  }
  EXPECT_GT(cancelled, 3);
}

TEST_F(AsyncCall, a_cancelled_probe_gives_its_place_back) {
  const auto guarded = guard::pipeline(guard::Breaking{*breaker});
  for (int i = 0; i < 4; ++i) static_cast<void>(run(guarded, answering(0s, fail(Errc::unavailable, "no"))));
  time.run(io, time.now() + 1min);
  EXPECT_EQ(run(guarded, answering(1s), 1h, 100ms).error().code(), Errc::cancelled);
  EXPECT_EQ(run(guarded, answering(0s)).value(), 42) << "the only probe's place was free";
  EXPECT_EQ(breaker->snapshot(time.now()).state, breaker::State::closed);
}

TEST_F(AsyncCall, a_task_group_takes_nothing_after_it_was_closed_and_waits_for_all) {
  TaskGroup group(io.get_executor());
  int ended = 0;
  struct Tasks {
    static asio::awaitable<void> sleep_an_hour(AsyncSleeper& sleeper, int& count) {
      static_cast<void>(co_await sleeper.sleep_until(sleeper.now() + 1h));
      ++count;
    }
    static asio::awaitable<void> close(TaskGroup& tasks, AsyncSleeper& sleeper, bool& closed) {
      co_await tasks.close(sleeper);
      closed = true;
    }
  };
  bool closed = false;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(group.start(Tasks::sleep_an_hour(time, ended)));
  TaskGroup outer(io.get_executor());
  ASSERT_TRUE(outer.start(Tasks::close(group, time, closed)));
  time.run(io, time.now() + 1s);
  EXPECT_FALSE(closed);
  EXPECT_EQ(group.start(Tasks::sleep_an_hour(time, ended)).error().code(), Errc::rejected);
  group.give_up();
  time.run(io, time.now() + 1s);
  EXPECT_TRUE(closed);
  EXPECT_EQ(ended, 3);
}

TEST(AsyncReal, many_callers_on_strands_of_real_threads_share_one_bulkhead_exactly) {
  SystemClock clock;
  TimerSleeper time(clock);
  auto bulkhead = limit::Bulkhead::make({.name = "db", .most = 3, .most_waiting = 1000}).value();
  const auto guarded = guard::pipeline(guard::Bounded{*bulkhead}, guard::AttemptTimeout{10s});
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> served = 0;
  struct Caller {
    static asio::awaitable<Answer> work(AsyncContext c, std::atomic<int>& in, std::atomic<int>& peak) {
      const int now = ++in;
      int seen = peak;
      while (now > seen && !peak.compare_exchange_weak(seen, now)) {
      }
      static_cast<void>(co_await c.sleeper.sleep_until(c.sleeper.now() + 200us));
      --in;
      co_return 1;
    }
    static asio::awaitable<void> call(decltype(guarded) pipeline, AsyncContext context, std::atomic<int>& in,
                                      std::atomic<int>& peak, std::atomic<int>& count) {
      Work once = [&](const AsyncContext& c) { return work(c, in, peak); };
      for (int i = 0; i < 20; ++i) {
        const Answer answer = co_await async_run(pipeline, context, once);
        if (answer) ++count;
      }
    }
  };
  sim::SeededRandom random(1);  // nothing here draws from it
  asio::thread_pool pool(2);
  const AsyncContext context{.sleeper = time, .random = random, .deadline = Deadline::after(clock.now(), 60s)};
  for (int i = 0; i < 20; ++i)
    asio::co_spawn(asio::make_strand(pool), Caller::call(guarded, context, inside, most, served),
                   [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
  pool.join();
  EXPECT_EQ(served, 400);
  EXPECT_LE(most, 3);
  EXPECT_EQ(bulkhead->snapshot().inside, 0);
}

}  // namespace
}  // namespace serin::async
