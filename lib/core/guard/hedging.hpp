#pragma once
#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "serin/guard/context.hpp"
#include "serin/guard/hedge.hpp"
#include "serin/guard/observer.hpp"
#include "serin/guard/order.hpp"

namespace serin::guard {

/// A race and the answer that leads it. Threads: one at a time.
template <class Answer>
struct HedgeState {
  HedgeCourse course;
  std::optional<Answer> answer = {};
  Feedback feedback = {};

  HedgeState(Hedge& hedge, retry::Budget& budget, bool counted, Instant now) : course(hedge, budget, counted, now) {}
  void ended(int number, Answer got, const Feedback& said, Duration took) {
    const bool refused = !got && is_surely_not_executed(got.error().code());
    course.ended(number, classify(got), refused, took);
    if (course.winner() != number) return;
    answer.emplace(std::move(got));
    feedback = said;
  }
  /// What the caller gets. \pre  the race is over
  template <class Context, class Observer>
  Answer finish(const Context& context, const Observer& observer) {
    if (feedback.retry_after) context.ask_later(*feedback.retry_after);
    if (course.winner() > 0) {
      Context won = context;
      won.hedge = course.winner();
      tell(observer, won, {.what = What::hedge_won, .outcome = classify(*answer)});
    }
    return *std::move(answer);
  }
};

/// The requests of one race on threads. Everything lives here, because run() returns only when all have ended.
/// Threads: any of the race.
template <class Answer>
class HedgeRace {
 public:
  HedgeRace(Hedge& hedge, retry::Budget& budget, Context& context)
      : context_(context), state_(hedge, budget, context.is_counted, context.now()) {
    context.time_passed();  // a thread begins when it can
  }

  /// \param tasks  lends a thread to each request
  template <class Next, class Observer>
  Answer run(Tasks& tasks, const Next& next, const Observer& observer) {
    // The caller's giving up is every request's.
    const std::stop_callback on_stop(context_.stop, [this] { losers_.request_stop(); });
    const auto start = [&](int number) { return tasks.start([this, &next, number] { request(number, next); }); };
    if (!start(0)) request(0, next);  // no thread is free: made here; a hedge follows only if it fails
    for (bool over = false; !over;) {
      Event changed;
      HedgeCourse::Step step;
      {
        const std::scoped_lock lock(mutex_);
        step = state_.course.next(context_.sleeper.now());
        if (step.next == HedgeCourse::Next::wait) changed_ = &changed;
      }
      switch (step.next) {
        case HedgeCourse::Next::send: send(start, observer); break;
        case HedgeCourse::Next::refused: tell(observer, context_, {.what = What::rejected_by_budget}); break;
        case HedgeCourse::Next::wait: over = !wait(changed, step.until); break;
        case HedgeCourse::Next::over: over = true; break;
      }
    }
    return finish(tasks, observer);
  }

 private:
  template <class Next>
  void request(int number, const Next& next) {
    Context inner = context_;
    Feedback feedback;
    inner.hedge = number;
    inner.is_counted = true;
    inner.stop = losers_.get_token();
    inner.feedback = &feedback;
    const Instant began = inner.now();
    Answer answer = next(inner);
    const Duration took = inner.now() - began;
    const std::scoped_lock lock(mutex_);
    state_.ended(number, std::move(answer), feedback, took);
    if (changed_ != nullptr) changed_->set();  // under the lock: its owner takes it before it goes
  }
  template <class Start, class Observer>
  void send(const Start& start, const Observer& observer) {
    Context sent = context_;
    {
      const std::scoped_lock lock(mutex_);
      sent.hedge = state_.course.sent() - 1;
    }
    if (start(sent.hedge)) return tell(observer, sent, {.what = What::hedge_sent});
    const std::scoped_lock lock(mutex_);
    state_.course.not_sent();
  }
  /// False: the process is to stop.
  bool wait(Event& changed, Instant until) {
    const bool waited = context_.sleeper.wait(changed, until).has_value();
    const std::scoped_lock lock(mutex_);
    changed_ = nullptr;
    return waited;
  }
  template <class Observer>
  Answer finish(Tasks& tasks, const Observer& observer) {
    losers_.request_stop();
    for (;;) {
      Event changed;
      {
        const std::scoped_lock lock(mutex_);
        changed_ = state_.course.all_ended() ? nullptr : &changed;
        if (changed_ == nullptr) break;
      }
      tasks.join(changed);
      const std::scoped_lock lock(mutex_);
      changed_ = nullptr;
    }
    return state_.finish(context_, observer);
  }

  const Context& context_;  // nobody changes it during the race
  std::stop_source losers_;
  std::mutex mutex_;
  HedgeState<Answer> state_;  // guarded by mutex_, like the rest
  Event* changed_ = nullptr;  // of the caller, while it waits
};

/// Sends a further request beside one that takes long, and takes the first answer. A failure that another try may not
/// have sends the next one at once; one that it would have too ends the race; "later" from the peer means no further
/// one. Losers are told through their stop token and have ended before it returns. Only for calls that may be made
/// twice, and only where Context::tasks lends threads; otherwise it is as if it were not there. The work is called on
/// those threads. Costs one allocation a call, for the stop token.
struct Hedging {
  static constexpr Kind kind = Kind::hedge;
  Hedge& hedge;           ///< of the target
  retry::Budget& budget;  ///< of the target, shared with its retries: each hedge asks it
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    if (context.tasks == nullptr || context.idempotency != Idempotency::idempotent) return next(context);
    HedgeRace<decltype(next(context))> race(hedge, budget, context);
    return race.run(*context.tasks, next, observer);
  }
};

}  // namespace serin::guard
