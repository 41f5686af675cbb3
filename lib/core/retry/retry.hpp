#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/random.hpp"
#include "serin/retry/backoff.hpp"
#include "serin/retry/budget.hpp"

namespace serin::retry {

struct RetryOptions {
  int max_attempts = 3;  ///< counts the first; 1 to 1000
  BackoffOptions backoff;
  double retry_after_spread = 0.5;  ///< a peer's Retry-After of t becomes uniform in [t, t x (1 + spread)]; 0 to 10
  Duration attempt_timeout{};       ///< of one attempt; 0: only the call's deadline
};

/// Options that passed their checks. A value, cheap to copy apart from its backoff's tables. Threads: any.
class Retry {
 public:
  /// Errors: invalid_argument, naming the field, its value and the range.
  static Result<Retry> make(RetryOptions options);
  [[nodiscard]] const RetryOptions& options() const noexcept { return options_; }
  [[nodiscard]] const Backoff& backoff() const noexcept { return backoff_; }

 private:
  Retry(RetryOptions options, Backoff backoff) : options_(std::move(options)), backoff_(std::move(backoff)) {}
  RetryOptions options_;
  Backoff backoff_;
};

/// Why there is no further attempt.
enum class Stop : std::uint8_t { no, succeeded, permanent, attempts_used, not_idempotent, past_deadline, budget_empty };
/// "attempts_used", ...: stable, in logs and metric labels.
[[nodiscard]] std::string_view stop_name(Stop stop) noexcept;

/// What is known after an attempt.
struct Attempted {
  int number = 1;  ///< the attempt that ended; counts from 1
  OutcomeClass outcome = OutcomeClass::success;
  bool surely_not_executed = false;
  std::optional<Duration> retry_after = {};  ///< what the peer asked for
  Duration previous_wait{};                  ///< before this attempt
};
struct Decision {
  Stop stop = Stop::no;
  Duration wait{};  ///< before the next attempt, when `stop` is no
};
/// What to do next, without a look at any budget. Never earlier than the peer's Retry-After; never a wait that ends at
/// or after the deadline: then it stops at once. Pure.
[[nodiscard]] Decision decide(const Retry& retry, const Attempted& attempted, Idempotency idempotency, Instant now,
                              Deadline deadline, std::uint64_t random);

/// One attempt, as the work sees it.
struct Attempt {
  int number = 1;     ///< counts from 1
  Deadline deadline;  ///< of this attempt: pass it on
};

/// What a call needs besides its policy. All of it outlives the call.
struct Call {
  Sleeper& sleeper;
  Random& random;
  Deadline deadline;
  Idempotency idempotency = Idempotency::not_idempotent;
};

/// Told what a retry decides. The empty one costs nothing.
struct NoObserver {
  static constexpr void on_wait(const Attempted&, Duration) noexcept {}
  static constexpr void on_stop(const Attempted&, Stop) noexcept {}
};

/// The time a peer asked for, found in a result. The default finds none.
struct NoRetryAfter {
  template <class T>
  constexpr std::optional<Duration> operator()(const Result<T>&) const noexcept {
    return std::nullopt;
  }
};

/// Makes attempts until one succeeds or another makes no sense. `work` takes an Attempt and returns a Result<T>; what
/// comes back is the last attempt's own result. No allocation and no virtual call of ours when the first attempt
/// succeeds, but for the budget's. Cancellation: a sleeper that answers an error ends it with the last attempt's
/// result.
/// \param budget  of the target; null: none, which only a test should want
/// Threads: the caller's.
template <class Work, class Observer = NoObserver, class RetryAfter = NoRetryAfter>
auto run(const Retry& retry, Budget* budget, const Call& call, const Work& work, const Observer& observer = {},
         const RetryAfter& retry_after = {}) -> decltype(work(std::declval<Attempt>())) {
  const Duration attempt_timeout = retry.options().attempt_timeout;
  if (budget != nullptr) budget->on_call();
  Attempted attempted;
  for (;; ++attempted.number) {
    Deadline deadline = call.deadline;
    if (attempt_timeout > Duration::zero())
      deadline = deadline.sooner(Deadline::after(call.sleeper.now(), attempt_timeout));
    auto result = work(Attempt{.number = attempted.number, .deadline = deadline});
    attempted.outcome = classify(result);
    const bool succeeded = attempted.outcome == OutcomeClass::success;
    if (budget != nullptr && attempted.number > 1) budget->on_retry_end(succeeded);
    if (succeeded) {
      if (budget != nullptr) budget->on_call_end(attempted.number == 1);
      return result;
    }
    attempted.surely_not_executed = !result && is_surely_not_executed(result.error().code());
    attempted.retry_after = retry_after(result);
    Decision decision =
        decide(retry, attempted, call.idempotency, call.sleeper.now(), call.deadline, call.random.next());
    if (decision.stop == Stop::no && budget != nullptr &&
        !budget->try_retry(attempted.outcome == OutcomeClass::timeout))
      decision.stop = Stop::budget_empty;
    if (decision.stop == Stop::no) {
      observer.on_wait(attempted, decision.wait);
      attempted.previous_wait = decision.wait;
      if (call.sleeper.sleep_for(decision.wait)) continue;
      if (budget != nullptr) budget->on_retry_end(false);  // it was allowed and is not made
    }
    observer.on_stop(attempted, decision.stop);
    if (budget != nullptr) budget->on_call_end(false);
    return result;
  }
}

/// What a policy costs a caller whose attempts all fail at once: the sum of its waits.
struct TotalWait {
  Duration mean{};
  Duration p95{};
};
/// By 20,000 seeded runs: the same on every machine. Pure.
[[nodiscard]] TotalWait total_wait(const Retry& retry);

}  // namespace serin::retry
