#pragma once
#include <cstdint>
#include <optional>
#include <utility>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/breaker/breaker.hpp"
#include "serin/guard/order.hpp"
#include "serin/limit/adaptive.hpp"
#include "serin/limit/bulkhead.hpp"
#include "serin/limit/rate.hpp"
#include "serin/limit/throttle.hpp"
#include "serin/outcome/outcome.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/random.hpp"
#include "serin/retry/retry.hpp"

// The elements of a pipeline. Each is a small value that refers to shared state by reference: what a breaker or a
// budget knows has to outlive the calls, and who shares it has to be seen where the pipeline is made.
namespace serin::guard {

/// What travels through a pipeline with one call. Copied for each attempt; what it refers to outlives the call.
struct Context {
  Sleeper& sleeper;
  Random& random;
  Deadline deadline;
  Idempotency idempotency = Idempotency::not_idempotent;
  int attempt = 1;  ///< counts from 1
};

/// The whole call, retries and waits included, ends by then.
struct TotalDeadline {
  static constexpr Kind kind = Kind::deadline;
  Duration within;
  template <class Next>
  auto run(Context context, const Next& next) const -> decltype(next(context)) {
    context.deadline = context.deadline.sooner(Deadline::after(context.sleeper.now(), within));
    return next(context);
  }
};

/// One attempt ends by then; it is told through its context.
struct AttemptTimeout {
  static constexpr Kind kind = Kind::attempt_timeout;
  Duration within;
  template <class Next>
  auto run(Context context, const Next& next) const -> decltype(next(context)) {
    context.deadline = context.deadline.sooner(Deadline::after(context.sleeper.now(), within));
    return next(context);
  }
};

struct Retrying {
  static constexpr Kind kind = Kind::retry;
  const retry::Retry& policy;
  retry::Budget& budget;  ///< of the target, shared by everybody who calls it
  template <class Next>
  auto run(const Context& context, const Next& next) const -> decltype(next(context)) {
    const retry::Call call{.sleeper = context.sleeper,
                           .random = context.random,
                           .deadline = context.deadline,
                           .idempotency = context.idempotency};
    return retry::run(policy, &budget, call, [&](retry::Attempt attempt) {
      Context inner = context;
      inner.deadline = attempt.deadline;
      inner.attempt = attempt.number;
      return next(inner);
    });
  }
};

struct Breaking {
  static constexpr Kind kind = Kind::breaker;
  breaker::Breaker& breaker;
  template <class Next>
  auto run(const Context& context, const Next& next) const -> decltype(next(context)) {
    const Instant began = context.sleeper.now();
    Result<breaker::Permit> permit = breaker.acquire(began);
    if (!permit) return pass(std::move(permit).error());
    auto result = next(context);
    const Instant ended = context.sleeper.now();
    permit->report(classify(result), ended - began, ended);
    return result;
  }
};

struct Bounded {
  static constexpr Kind kind = Kind::bulkhead;
  limit::Bulkhead& bulkhead;
  template <class Next>
  auto run(const Context& context, const Next& next) const -> decltype(next(context)) {
    const Result<limit::Place> place = bulkhead.enter(context.sleeper, context.deadline);
    if (!place) return pass(place.error());
    return next(context);
  }
};

/// A limit on calls at once that finds itself.
struct Adapting {
  static constexpr Kind kind = Kind::bulkhead;
  limit::AdaptiveLimit& limit;
  template <class Next>
  auto run(const Context& context, const Next& next) const -> decltype(next(context)) {
    Result<limit::AdaptivePermit> permit = limit.try_enter();
    if (!permit) return pass(std::move(permit).error());
    const Instant began = context.sleeper.now();
    auto result = next(context);
    permit->report(classify(result), context.sleeper.now() - began);
    return result;
  }
};

/// Waits for its turn, as long as the deadline lets it.
struct Paced {
  static constexpr Kind kind = Kind::rate;
  limit::RateLimit& rate;
  template <class Next>
  auto run(const Context& context, const Next& next) const -> decltype(next(context)) {
    while (const std::optional<Duration> wait = rate.take(context.sleeper.now())) {
      if (*wait >= context.deadline.left(context.sleeper.now()))
        return fail(Errc::rejected, "rate '" + rate.options().name + "': no turn before the deadline");
      SERIN_CHECK(context.sleeper.sleep_for(*wait));
    }
    return next(context);
  }
};

/// Refuses here what the peer would refuse there.
struct Throttled {
  static constexpr Kind kind = Kind::rate;
  limit::Throttle& throttle;
  template <class Next>
  auto run(const Context& context, const Next& next) const -> decltype(next(context)) {
    if (const Status let = throttle.enter(context.sleeper.now(), context.random.next()); !let) return pass(let.error());
    auto result = next(context);
    throttle.report(classify(result), context.sleeper.now());
    return result;
  }
};

/// Another answer in the place of an error. \tparam Otherwise  takes the Error and returns a Result of the same type
template <class Otherwise>
struct Fallback {
  static constexpr Kind kind = Kind::fallback;
  Otherwise otherwise;
  template <class Next>
  auto run(const Context& context, const Next& next) const -> decltype(next(context)) {
    auto result = next(context);
    if (result) return result;
    return otherwise(result.error());
  }
};
template <class Otherwise>
Fallback(Otherwise) -> Fallback<Otherwise>;

struct ChaosOptions {
  double fault_rate = 0;  ///< share of calls that fail instead of being made; 0 to 1
  Errc fault = Errc::unavailable;
  double latency_rate = 0;  ///< share of calls that wait first; 0 to 1
  Duration latency{};
};
/// Faults for drills: innermost, so that every other element meets them as it would meet real ones.
struct Chaos {
  static constexpr Kind kind = Kind::chaos;
  const ChaosOptions& options;  ///< may be changed between calls
  template <class Next>
  auto run(const Context& context, const Next& next) const -> decltype(next(context)) {
    if (options.latency_rate > 0 && context.random.unit() < options.latency_rate) {
      const Deadline slow = Deadline::after(context.sleeper.now(), options.latency);
      SERIN_CHECK(context.sleeper.sleep_until(slow.sooner(context.deadline).at()));
      if (slow.at() > context.deadline.at()) return fail(Errc::deadline_exceeded, "chaos: slower than the deadline");
    }
    if (options.fault_rate > 0 && context.random.unit() < options.fault_rate)
      return fail(options.fault, "chaos: a fault");
    return next(context);
  }
};

}  // namespace serin::guard
