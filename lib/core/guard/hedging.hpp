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

/// The requests of one race on threads. Everything lives here, because run() returns only when all have ended.
/// Threads: any of the race.
template <class Answer>
class HedgeRace {
 public:
  HedgeRace(Hedge& hedge, retry::Budget& budget, const Context& context)
      : context_(context), course_(hedge, budget, context.is_counted, context.sleeper.now()) {}

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
        step = course_.next(context_.sleeper.now());
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
    const Instant began = context_.sleeper.now();
    Answer answer = next(inner);
    const Duration took = context_.sleeper.now() - began;
    const std::scoped_lock lock(mutex_);
    const bool refused = !answer && is_surely_not_executed(answer.error().code());
    course_.ended(number, classify(answer), refused, took);
    if (course_.winner() == number) {
      answer_.emplace(std::move(answer));
      feedback_ = feedback;
    }
    if (changed_ != nullptr) changed_->set();  // under the lock: its owner takes it before it goes
  }
  template <class Start, class Observer>
  void send(const Start& start, const Observer& observer) {
    Context sent = context_;
    {
      const std::scoped_lock lock(mutex_);
      sent.hedge = course_.sent() - 1;
    }
    if (start(sent.hedge)) return tell(observer, sent, {.what = What::hedge_sent});
    const std::scoped_lock lock(mutex_);
    course_.not_sent();
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
        changed_ = course_.all_ended() ? nullptr : &changed;
        if (changed_ == nullptr) break;
      }
      tasks.join(changed);
      const std::scoped_lock lock(mutex_);
      changed_ = nullptr;
    }
    if (feedback_.retry_after) context_.ask_later(*feedback_.retry_after);
    if (course_.winner() > 0) {
      Context won = context_;
      won.hedge = course_.winner();
      tell(observer, won, {.what = What::hedge_won, .outcome = classify(*answer_)});
    }
    return *std::move(answer_);
  }

  const Context& context_;
  std::stop_source losers_;
  std::mutex mutex_;
  HedgeCourse course_;                 // guarded by mutex_, like the rest
  Event* changed_ = nullptr;           // of the caller, while it waits
  std::optional<Answer> answer_ = {};  // the winner's so far
  Feedback feedback_ = {};
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
  auto run(const Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    if (context.tasks == nullptr || context.idempotency != Idempotency::idempotent) return next(context);
    HedgeRace<decltype(next(context))> race(hedge, budget, context);
    return race.run(*context.tasks, next, observer);
  }
};

}  // namespace serin::guard
