#pragma once
#include <algorithm>
#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include "serin/async/async_context.hpp"
#include "serin/async/children.hpp"
#include "serin/guard/pacing.hpp"
#include "serin/guard/pipeline.hpp"

// The same pipelines around coroutines. What an element decides is asked of the same objects as on threads (Course,
// HedgeCourse, Breaker, Bulkhead, draw_chaos); only the waiting is written here.
namespace serin::async {

template <class Next>
using AwaitableOf = std::invoke_result_t<const Next&, const AsyncContext&>;
template <class Next>
using AnswerOf = typename AwaitableOf<Next>::value_type;

/// Runs `next` as a child, and cancels it at the deadline of `context`; it has ended when this returns. An answer that
/// came anyway counts.
template <class Next>
asio::awaitable<void> answer_into(const Next& next, AsyncContext context, std::optional<AnswerOf<Next>>& answer) {
  co_await asio::this_coro::throw_if_cancelled(false);
  answer.emplace(co_await next(context));
}
template <class Next, class Observer>
AwaitableOf<Next> in_time(Duration within, AsyncContext context, Next next, const Observer& observer) {
  const Instant before = context.sleeper.now();
  context.deadline = context.deadline.sooner(Deadline::after(before, within));
  std::optional<AnswerOf<Next>> answer;
  Child child;
  const auto executor = co_await asio::this_coro::executor;
  child.start(executor, answer_into(next, context, answer), [] {});
  const Result<bool> ended = co_await context.sleeper.wait(child.ended(), context.deadline.at());
  child.give_up();
  co_await join(context.sleeper, child);
  child.rethrow();
  if (!*answer && ended && !*ended) {
    guard::tell(observer, context, {.what = guard::What::deadline_hit});
    co_return fail(Errc::deadline_exceeded, "no answer within " + format_duration(context.deadline.at() - before));
  }
  co_return *std::move(answer);
}

template <class Next, class Observer>
AwaitableOf<Next> around(const guard::TotalDeadline& element, AsyncContext context, Next next,
                         const Observer& observer) {
  return in_time(element.within, context, next, observer);
}
template <class Next, class Observer>
AwaitableOf<Next> around(const guard::AttemptTimeout& element, AsyncContext context, Next next,
                         const Observer& observer) {
  return in_time(element.within, context, next, observer);
}

template <class Next, class Observer>
AwaitableOf<Next> around(const guard::Retrying& element, AsyncContext context, Next next, const Observer& observer) {
  retry::CountedCall counted(&element.budget);
  retry::Course course(element.policy, counted, context.idempotency, context.deadline);
  for (;;) {
    guard::Feedback feedback;
    const retry::Attempt begun = course.begin(context.sleeper);
    AsyncContext inner = context;
    inner.deadline = begun.deadline;
    inner.attempt = begun.number;
    inner.is_counted = true;
    inner.feedback = &feedback;
    auto answer = co_await next(inner);
    const asio::cancellation_state giving_up = co_await asio::this_coro::cancellation_state;
    const bool gave_up = giving_up.cancelled() != asio::cancellation_type::none;
    retry::Decision decision = course.ended(answer, feedback.retry_after, context.sleeper, context.random, gave_up);
    if (decision.stop == retry::Stop::succeeded) co_return answer;
    if (decision.stop == retry::Stop::no) {
      guard::tell_wait(observer, context, decision.wait, course.last());
      const Instant until = Deadline::after(context.sleeper.now(), decision.wait).at();
      const Status slept = co_await context.sleeper.sleep_until(until);
      if (slept) continue;
      decision.stop = retry::Stop::cancelled;
    }
    guard::tell_stop(observer, context, decision.stop, course.last());
    co_return answer;
  }
}

template <class Next, class Observer>
AwaitableOf<Next> around(const guard::Breaking& element, AsyncContext context, Next next, const Observer& observer) {
  const Instant began = context.sleeper.now();
  Result<breaker::Permit> permit = element.breaker.acquire(began);
  if (!permit) {
    guard::tell(observer, context, {.what = guard::What::rejected_by_breaker}, element.breaker.options().name);
    co_return pass(std::move(permit).error());
  }
  auto answer = co_await next(context);
  const OutcomeClass outcome = classify(answer);
  if (permit->report_if_unchanged(outcome)) co_return answer;
  const Instant ended = context.sleeper.now();
  permit->report(outcome, ended - began, ended);
  co_return answer;
}

/// A coroutine in a bulkhead's line: woken on its own executor, whichever thread hands the place over. Out of the line
/// with its end.
class CoroutineInLine final : public limit::Waiter {
 public:
  CoroutineInLine(limit::Bulkhead& bulkhead, asio::any_io_executor executor)
      : bulkhead_(bulkhead), executor_(std::move(executor)) {}
  ~CoroutineInLine() override {
    if (stands_) static_cast<void>(bulkhead_.stop_waiting(*this));
  }
  asio::awaitable<Result<limit::Place>> enter(AsyncContext context) {
    Result<std::optional<limit::Place>> at_once = bulkhead_.enter_or_wait(*this);
    if (!at_once) co_return pass(at_once.error());
    if (*at_once) co_return *std::move(*at_once);
    stands_ = true;
    const Result<bool> woken = co_await context.sleeper.wait(woken_, context.deadline.at());
    stands_ = false;
    std::optional<limit::Place> place = bulkhead_.stop_waiting(*this);
    // It was handed over this very moment, and the message is on its way here: it has to arrive before this goes.
    while (place && !woken_.is_set()) static_cast<void>(co_await context.sleeper.wait(woken_, Instant::max()));
    if (!woken) co_return pass(woken.error());
    if (!place) co_return bulkhead_.no_place_in_time();
    co_return *std::move(place);
  }

 protected:
  void on_place() noexcept override {
    asio::post(executor_, [this] { woken_.set(); });
  }

 private:
  limit::Bulkhead& bulkhead_;
  asio::any_io_executor executor_;
  AsyncEvent woken_;
  bool stands_ = false;
};

template <class Next, class Observer>
AwaitableOf<Next> around(const guard::Bounded& element, AsyncContext context, Next next, const Observer& observer) {
  const auto executor = co_await asio::this_coro::executor;
  CoroutineInLine line(element.bulkhead, executor);
  const Result<limit::Place> place = co_await line.enter(context);
  if (!place) {
    if (guard::is_refusal(place.error().code()))
      guard::tell(observer, context, {.what = guard::What::rejected_by_bulkhead}, element.bulkhead.options().name);
    co_return pass(place.error());
  }
  auto answer = co_await next(context);
  co_return answer;
}

template <class Next, class Observer>
AwaitableOf<Next> around(const guard::Adapting& element, AsyncContext context, Next next, const Observer& observer) {
  Result<limit::AdaptivePermit> permit = element.limit.try_enter();
  if (!permit) {
    guard::tell(observer, context, {.what = guard::What::rejected_by_bulkhead}, "adaptive limit");
    co_return pass(std::move(permit).error());
  }
  const Instant began = context.sleeper.now();
  auto answer = co_await next(context);
  permit->report(classify(answer), context.sleeper.now() - began);
  co_return answer;
}

/// As guard::wait_for_turn().
template <class Rate, class Observer>
boost::asio::awaitable<Status> wait_for_turn(Rate& rate, const AsyncContext& context, const Observer& observer) {
  while (const std::optional<Duration> wait = rate.take(context.sleeper.now())) {
    const Instant now = context.sleeper.now();
    if (*wait >= context.deadline.left(now)) {
      guard::tell(observer, context, {.what = guard::What::rejected_by_rate}, rate.options().name);
      co_return guard::no_turn(rate.options().name);
    }
    const Status slept = co_await context.sleeper.sleep_until(now + *wait);
    if (!slept) co_return slept;
  }
  co_return Status();
}

template <class Rate, class Next, class Observer>
AwaitableOf<Next> around(const guard::Paced<Rate>& element, AsyncContext context, Next next, const Observer& observer) {
  const Status turn = co_await wait_for_turn(element.rate, context, observer);
  if (!turn) co_return pass(turn.error());
  auto answer = co_await next(context);
  co_return answer;
}

template <class Next, class Observer>
AwaitableOf<Next> around(const guard::Sending& element, AsyncContext context, Next next, const Observer& observer) {
  const Status turn = co_await wait_for_turn(element.rate, context, observer);
  if (!turn) co_return pass(turn.error());
  const Instant sent = context.sleeper.now();
  auto answer = co_await next(context);
  element.rate.report(classify(answer), sent, context.sleeper.now());
  co_return answer;
}

template <class Next, class Observer>
AwaitableOf<Next> around(const guard::Throttled& element, AsyncContext context, Next next, const Observer& observer) {
  const Status let = element.throttle.enter(context.sleeper.now(), context.random.next());
  if (!let) {
    guard::tell(observer, context, {.what = guard::What::rejected_by_rate}, "throttle");
    co_return pass(let.error());
  }
  auto answer = co_await next(context);
  element.throttle.report(classify(answer), context.sleeper.now());
  co_return answer;
}

template <class Otherwise, class Next, class Observer>
AwaitableOf<Next> around(const guard::Fallback<Otherwise>& element, AsyncContext context, Next next,
                         const Observer& observer) {
  auto answer = co_await next(context);
  if (answer) co_return answer;
  guard::tell(observer, context, {.what = guard::What::fallback_used, .outcome = classify(answer)});
  co_return element.otherwise(answer.error());
}

template <class Outcome, class Next, class Observer>
AwaitableOf<Next> around(const guard::Chaos<Outcome>& element, AsyncContext context, Next next,
                         const Observer& observer) {
  const guard::ChaosDraw draw = guard::draw_chaos(element.options, context);
  const guard::Happening injected{.what = guard::What::chaos_injected};
  if (draw.behaviour) {
    guard::tell(observer, context, injected);
    const Status behaved = element.options.behaviour();
    if (!behaved) co_return pass(behaved.error());
  }
  if (draw.latency) {
    guard::tell(observer, context, injected);
    const Deadline slow = Deadline::after(context.sleeper.now(), element.options.latency);
    const Status slept = co_await context.sleeper.sleep_until(slow.sooner(context.deadline).at());
    if (!slept) co_return pass(slept.error());
    if (slow.at() > context.deadline.at()) co_return fail(Errc::deadline_exceeded, "chaos: slower than the deadline");
  }
  if (draw.fault) {
    guard::tell(observer, context, injected);
    co_return fail(element.options.fault, "chaos: a fault");
  }
  if constexpr (!std::is_same_v<Outcome, guard::NoOutcome>) {
    if (draw.outcome) {
      guard::tell(observer, context, injected);
      co_return element.outcome();
    }
  }
  auto answer = co_await next(context);
  co_return answer;
}

/// The requests of one race as children. Threads: its executor.
template <class Next>
struct CoroutineRace {
  guard::HedgeState<AnswerOf<Next>> state;
  std::array<Child, guard::Hedge::most_requests> children = {};
  AsyncEvent* changed = nullptr;  // of the caller, while it waits

  CoroutineRace(const guard::Hedging& element, const AsyncContext& context)
      : state(element.hedge, element.budget, context.is_counted, context.sleeper.now()) {}
  asio::awaitable<void> request(const Next& next, AsyncContext context, int number) {
    co_await asio::this_coro::throw_if_cancelled(false);
    guard::Feedback feedback;
    context.hedge = number;
    context.is_counted = true;
    context.feedback = &feedback;
    const Instant began = context.sleeper.now();
    auto answer = co_await next(context);
    state.ended(number, std::move(answer), feedback, context.sleeper.now() - began);
  }
  [[nodiscard]] bool threw() const {
    return std::ranges::any_of(children, [](const Child& child) { return child.threw(); });
  }
  template <class Executor>
  void start(const Executor& executor, const Next& next, const AsyncContext& context, int number) {
    children[static_cast<std::size_t>(number)].start(executor, request(next, context, number), [this] {
      if (changed != nullptr) changed->set();
    });
  }
};

template <class Next, class Observer>
AwaitableOf<Next> around(const guard::Hedging& element, AsyncContext context, Next next, const Observer& observer) {
  using Step = guard::HedgeCourse::Next;
  if (context.idempotency != Idempotency::idempotent) {
    auto only = co_await next(context);
    co_return only;
  }
  const auto executor = co_await asio::this_coro::executor;
  CoroutineRace<Next> race(element, context);
  race.start(executor, next, context, 0);
  for (bool over = false; !over;) {
    const guard::HedgeCourse::Step step = race.state.course.next(context.sleeper.now());
    switch (step.next) {
      case Step::send: {
        AsyncContext sent = context;
        sent.hedge = race.state.course.sent() - 1;
        guard::tell(observer, sent, {.what = guard::What::hedge_sent});
        race.start(executor, next, context, sent.hedge);
        break;
      }
      case Step::refused: guard::tell(observer, context, {.what = guard::What::rejected_by_budget}); break;
      case Step::wait: {
        AsyncEvent changed;
        race.changed = &changed;
        const Result<bool> waited = co_await context.sleeper.wait(changed, step.until);
        race.changed = nullptr;
        over = !waited || race.threw();
        break;
      }
      case Step::over: over = true; break;
    }
  }
  for (Child& child : race.children) child.give_up();
  for (Child& child : race.children) co_await join(context.sleeper, child);
  for (const Child& child : race.children) child.rethrow();
  co_return race.state.finish(context, observer);
}

/// The work itself, told to the observer; not even begun when the caller has given up.
template <class Work, class Observer>
AwaitableOf<Work> attempt(const Work& work, AsyncContext context, const Observer& observer) {
  const asio::cancellation_state giving_up = co_await asio::this_coro::cancellation_state;
  if (giving_up.cancelled() != asio::cancellation_type::none) co_return guard::given_up();
  if constexpr (guard::is_watching<Observer>) {
    const Instant began = context.sleeper.now();
    auto answer = co_await work(context);
    guard::tell(
        observer, context,
        {.what = guard::What::attempt_ended, .outcome = classify(answer), .time = context.sleeper.now() - began});
    co_return answer;
  } else {
    auto answer = co_await work(context);
    co_return answer;
  }
}

/// The part of a pipeline from `at` inwards, as a function of the context: no coroutine of its own, so that an element
/// costs one frame. Refers to what lies in the frame of async_run().
template <std::size_t at, class Pipeline, class Work>
struct Inwards {
  const Pipeline& pipeline;
  const Work& work;
  AwaitableOf<Work> operator()(const AsyncContext& context) const {
    if constexpr (at == Pipeline::size) {
      return attempt(work, context, pipeline.observer());
    } else {
      return around(pipeline.template element<at>(), context, Inwards<at + 1, Pipeline, Work>{pipeline, work},
                    pipeline.observer());
    }
  }
};

/// One call through `pipeline`, without a thread that waits. Cancellation: through the coroutine's slot, which every
/// sleep, queue and attempt sees; while it runs, throw_if_cancelled is false. An attempt that is timed out or loses a
/// race is cancelled (terminal) and has ended before this returns. Errors: of the work and of the elements; cancelled.
/// \param work  takes a const AsyncContext&, returns an asio::awaitable<Result<T>>; called once an attempt
/// Threads: its executor, which does one thing at a time (an io_context with one thread, or a strand).
template <class Pipeline, class Work>
AwaitableOf<Work> async_run(Pipeline pipeline, AsyncContext context, Work work) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const Inwards<0, Pipeline, Work> inwards{pipeline, work};
  auto answer = co_await inwards(context);
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return answer;
}

}  // namespace serin::async
