#pragma once
#include <cstdint>
#include <optional>
#include <utility>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/breaker/breaker.hpp"
#include "serin/guard/context.hpp"
#include "serin/guard/observer.hpp"
#include "serin/guard/order.hpp"
#include "serin/limit/adaptive.hpp"
#include "serin/limit/bulkhead.hpp"
#include "serin/limit/rate.hpp"
#include "serin/limit/throttle.hpp"
#include "serin/outcome/outcome.hpp"
#include "serin/ports/clock.hpp"
#include "serin/retry/retry.hpp"

// The elements of a pipeline. Each is a small value that refers to shared state by reference: what a breaker or a
// budget knows has to outlive the calls, and who shares it has to be seen where the pipeline is made.
namespace serin::guard {

/// Whether a rejection is one of a limit of ours, and not the caller's giving up.
[[nodiscard]] constexpr bool is_refusal(Errc code) noexcept {
  return code == Errc::rejected || code == Errc::deadline_exceeded;
}

/// What is inside ends `within` from now on, or sooner; it is told through its context.
template <class Next, class Observer>
auto run_within(Duration within, Context& context, const Next& next, const Observer& observer)
    -> decltype(next(context)) {
  context.deadline = context.deadline.sooner(Deadline::after(context.now(), within));
  if constexpr (!is_watching<Observer>) return next(context);
  auto result = next(context);
  if (!result && result.error().code() == Errc::deadline_exceeded)
    tell(observer, context, {.what = What::deadline_hit});
  return result;
}

/// The whole call, retries and waits included, ends by then.
struct TotalDeadline {
  static constexpr Kind kind = Kind::deadline;
  Duration within;
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    return run_within(within, context, next, observer);
  }
};

/// One attempt ends by then; it is told through its context.
struct AttemptTimeout {
  static constexpr Kind kind = Kind::attempt_timeout;
  Duration within;
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    return run_within(within, context, next, observer);
  }
};

struct Retrying {
  static constexpr Kind kind = Kind::retry;
  const retry::Retry& policy;
  retry::Budget& budget;  ///< of the target, shared by everybody who calls it
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    retry::CountedCall counted(&budget);
    Inside inside(context);
    context.attempt = 1;
    context.deadline = policy.attempt_deadline(inside.deadline, context);
    auto result = next(context);
    if (!result) [[unlikely]]
      return after_failure(result, counted, inside, next, observer);
    counted.succeeded_at_once();
    return result;
  }

 private:
  /// What the attempts change in the context; given back for the elements around this one.
  struct Inside {
    explicit Inside(Context& of)
        : context(of), deadline(of.deadline), outer(of.feedback), attempt(of.attempt), is_counted(of.is_counted) {
      of.feedback = &said;
      of.is_counted = true;
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() {
      context.deadline = deadline;
      context.feedback = outer;
      context.attempt = attempt;
      context.is_counted = is_counted;
    }
    Context& context;
    Deadline deadline;
    Feedback* outer;
    int attempt;
    bool is_counted;
    Feedback said = {};
  };
  /// Kept out of the way of nearly every call, which succeeds at once.
  template <class T, class Next, class Observer>
  [[gnu::noinline]] Result<T> after_failure(Result<T>& first, retry::CountedCall& counted, Inside& inside,
                                            const Next& next, const Observer& observer) const {
    Context& context = inside.context;
    retry::Course course(policy, counted, context.idempotency, inside.deadline, 1);
    if (!goes_on(course, first, inside, observer)) return std::move(first);
    for (;;) {
      const retry::Attempt begun = course.begin(context);
      context.deadline = begun.deadline;
      context.attempt = begun.number;
      auto result = next(context);
      if (course.has_succeeded(result) || !goes_on(course, result, inside, observer)) return result;
    }
  }
  /// After a failure: waits and says yes, or says no.
  template <class T, class Observer>
  [[gnu::noinline]] static bool goes_on(retry::Course& course, const Result<T>& result, Inside& inside,
                                        const Observer& observer) {
    Context& context = inside.context;
    const std::optional<Duration> retry_after = std::exchange(inside.said, {}).retry_after;
    retry::Decision decision =
        course.has_failed(result, retry_after, context, context.random, context.stop.stop_requested());
    if (decision.stop == retry::Stop::no) {
      tell_wait(observer, context, decision.wait, course.last());
      const Status slept =
          sleep_until(context.sleeper, Deadline::after(context.now(), decision.wait).at(), context.stop);
      context.time_passed();
      if (slept) return true;
      decision.stop = retry::Stop::cancelled;
    }
    tell_stop(observer, context, decision.stop, course.last());
    return false;
  }
};

struct Breaking {
  static constexpr Kind kind = Kind::breaker;
  breaker::Breaker& breaker;
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    // Reading a clock costs more than all the rest: nobody reads it for a success behind a breaker that is closed.
    if (!breaker.times_calls()) {
      if (std::optional<breaker::Permit> permit = breaker.acquire_if_closed())
        return reported(*permit, {}, context, next);
    }
    const Instant began = context.now();
    Result<breaker::Permit> permit = breaker.acquire(began);
    if (!permit) {
      tell(observer, context, {.what = What::rejected_by_breaker}, breaker.options().name);
      return pass(std::move(permit).error());
    }
    return reported(*permit, began, context, next);
  }

 private:
  /// \param began  nothing: the breaker does not care how long it takes
  template <class Next>
  static auto reported(breaker::Permit& permit, std::optional<Instant> began, Context& context, const Next& next)
      -> decltype(next(context)) {
    auto result = next(context);
    const OutcomeClass outcome = classify(result);
    if (permit.report_if_unchanged(outcome)) return result;
    const Instant ended = context.now();
    permit.report(outcome, began ? ended - *began : Duration::zero(), ended);
    return result;
  }
};

struct Bounded {
  static constexpr Kind kind = Kind::bulkhead;
  limit::Bulkhead& bulkhead;
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    const Result<limit::Place> place = enter(context);
    if (!place) {
      if (is_refusal(place.error().code()))
        tell(observer, context, {.what = What::rejected_by_bulkhead}, bulkhead.options().name);
      return pass(place.error());
    }
    return next(context);
  }

 private:
  Result<limit::Place> enter(Context& context) const {
    if (std::optional<limit::Place> place = bulkhead.enter_at_once()) return *std::move(place);
    context.time_passed();
    return bulkhead.enter(context.sleeper, context.deadline, context.stop);
  }
};

/// A limit on calls at once that finds itself.
struct Adapting {
  static constexpr Kind kind = Kind::bulkhead;
  limit::AdaptiveLimit& limit;
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    Result<limit::AdaptivePermit> permit = limit.try_enter();
    if (!permit) {
      tell(observer, context, {.what = What::rejected_by_bulkhead}, "adaptive limit");
      return pass(std::move(permit).error());
    }
    const Instant began = context.now();
    auto result = next(context);
    permit->report(classify(result), context.now() - began);
    return result;
  }
};

/// The error of an attempt that is not made because of its stop token: cancelled. No allocation after the first.
[[nodiscard]] std::unexpected<Error> given_up();
[[nodiscard]] std::unexpected<Error> no_turn(std::string_view rate);

/// Waits until `rate` lets the call through, as long as the deadline lets it. \tparam Rate  as limit::RateLimit
/// Errors: rejected (no turn before the deadline), cancelled.
template <class Rate, class Observer>
Status wait_for_turn(Rate& rate, Context& context, const Observer& observer) {
  while (const std::optional<Duration> wait = rate.take(context.now())) {
    const Instant now = context.now();
    if (*wait >= context.deadline.left(now)) {
      tell(observer, context, {.what = What::rejected_by_rate}, rate.options().name);
      return no_turn(rate.options().name);
    }
    const Status slept = sleep_until(context.sleeper, now + *wait, context.stop);
    context.time_passed();
    if (!slept) return slept;
  }
  return {};
}

/// Waits for its turn, by a RateLimit or a TokenBucket.
template <class Rate>
struct Paced {
  static constexpr Kind kind = Kind::rate;
  Rate& rate;
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    if (const Status turn = wait_for_turn(rate, context, observer); !turn) return pass(turn.error());
    return next(context);
  }
};
template <class Rate>
Paced(Rate&) -> Paced<Rate>;

/// Refuses here what the peer would refuse there.
struct Throttled {
  static constexpr Kind kind = Kind::rate;
  limit::Throttle& throttle;
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    if (const Status let = throttle.enter(context.now(), context.random.next()); !let) {
      tell(observer, context, {.what = What::rejected_by_rate}, "throttle");
      return pass(let.error());
    }
    auto result = next(context);
    throttle.report(classify(result), context.now());
    return result;
  }
};

/// Another answer in the place of an error. \tparam Otherwise  takes the Error and returns a Result of the same type
template <class Otherwise>
struct Fallback {
  static constexpr Kind kind = Kind::fallback;
  Otherwise otherwise;
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    auto result = next(context);
    if (result) return result;
    tell(observer, context, {.what = What::fallback_used, .outcome = classify(result)});
    return otherwise(result.error());
  }
};
template <class Otherwise>
Fallback(Otherwise) -> Fallback<Otherwise>;

}  // namespace serin::guard
