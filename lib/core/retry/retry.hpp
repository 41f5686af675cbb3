#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "serin/base/checked.hpp"
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
constexpr Wrongs wrongs(const RetryOptions& options) {
  Wrongs out;
  out.unless(options.max_attempts >= 1 && options.max_attempts <= 1000, "max_attempts",
             "must be from 1 (no retry) to 1000", options.max_attempts);
  out.add(wrongs(options.backoff));
  out.unless(options.retry_after_spread >= 0 && options.retry_after_spread <= 10, "retry_after_spread",
             "must be from 0 to 10", options.retry_after_spread);
  out.unless(options.attempt_timeout >= Duration::zero(), "attempt_timeout", "must be 0 (none) or more",
             options.attempt_timeout);
  return out;
}

/// Options that passed their checks. A value, cheap to copy. Threads: any.
class Retry {
 public:
  /// Errors: invalid_argument, naming the field, its value and the range.
  static Result<Retry> make(const RetryOptions& options);
  [[nodiscard]] const RetryOptions& options() const noexcept { return options_; }
  [[nodiscard]] const Backoff& backoff() const noexcept { return backoff_; }
  /// When an attempt that begins now has to end. \tparam Time  has now(): a Clock, or who remembers what it said
  template <class Time>
  [[nodiscard]] Deadline attempt_deadline(Deadline call, Time& time) const {
    if (options_.attempt_timeout <= Duration::zero()) return call;
    return call.sooner(Deadline::after(time.now(), options_.attempt_timeout));
  }

 private:
  Retry(const RetryOptions& options, const Backoff& backoff) : options_(options), backoff_(backoff) {}
  RetryOptions options_;
  Backoff backoff_;
};

/// Why there is no further attempt.
enum class Stop : std::uint8_t {
  no,
  succeeded,
  permanent,
  attempts_used,
  not_idempotent,
  past_deadline,
  budget_empty,
  cancelled
};
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
  std::stop_token stop = {};  ///< the caller's: ends a wait at once, and there is no further attempt
};

/// One call's attempts: counts them, asks the policy and the budget, and gives back what it took for retries, however
/// the call ends. Holds no loop and does not wait, so that threads and coroutines share it. Threads: one.
class Course {
 public:
  /// \param retry, counted  outlive it  \param made  attempts that have begun already
  Course(const Retry& retry, CountedCall& counted, Idempotency idempotency, Deadline deadline, int made = 0)
      : retry_(retry), counted_(counted), idempotency_(idempotency), deadline_(deadline), last_{.number = made} {}
  Course(const Course&) = delete;
  Course& operator=(const Course&) = delete;
  ~Course() {
    if (owes_retry_) settle();  // it was allowed and was not made, or nobody heard how it ended
  }
  /// The attempt that begins now.
  template <class Time>
  [[nodiscard]] Attempt begin(Time& time) {
    ++last_.number;
    return {.number = last_.number, .deadline = retry_.attempt_deadline(deadline_, time)};
  }
  /// Whether its result ends the course well; otherwise has_failed() is next.
  template <class T>
  [[nodiscard]] bool has_succeeded(const Result<T>& result) {
    succeeded_ = result.has_value();
    if (!succeeded_) return false;
    last_.outcome = OutcomeClass::success;
    if (last_.number == 1) counted_.succeeded_at_once();
    if (owes_retry_) settle();
    return true;
  }
  /// What follows from a failure: after `Stop::no`, a wait and begin(); otherwise the end. \param gave_up  the caller
  /// did
  template <class T, class Time>
  [[nodiscard]] Decision has_failed(const Result<T>& result, std::optional<Duration> retry_after, Time& time,
                                    Random& random, bool gave_up) {
    last_.retry_after = retry_after;
    last_.surely_not_executed = is_surely_not_executed(result.error().code());
    last_.outcome = classify(result.error().code());
    if (gave_up) return after_giving_up();
    return after_failure(time.now(), random);
  }
  /// Both in one.
  template <class T, class Time>
  [[nodiscard]] Decision ended(const Result<T>& result, std::optional<Duration> retry_after, Time& time, Random& random,
                               bool gave_up) {
    if (has_succeeded(result)) return {.stop = Stop::succeeded};
    return has_failed(result, retry_after, time, random, gave_up);
  }
  [[nodiscard]] const Attempted& last() const noexcept { return last_; }

 private:
  Decision after_giving_up();
  Decision after_failure(Instant now, Random& random);
  void settle() {
    counted_.budget()->on_retry_end(succeeded_);
    owes_retry_ = false;
  }
  const Retry& retry_;
  CountedCall& counted_;
  Idempotency idempotency_;
  Deadline deadline_;
  Attempted last_;
  bool owes_retry_ = false;
  bool succeeded_ = false;
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
/// succeeds, but for the budget's. Cancellation: a requested stop, or a sleeper that answers an error, ends it with the
/// last attempt's result.
/// \param budget  of the target; null: none, which only a test should want
/// Threads: the caller's.
template <class Work, class Observer = NoObserver, class RetryAfter = NoRetryAfter>
auto run(const Retry& retry, Budget* budget, const Call& call, const Work& work, const Observer& observer = {},
         const RetryAfter& retry_after = {}) -> decltype(work(std::declval<Attempt>())) {
  CountedCall counted(budget);
  Course course(retry, counted, call.idempotency, call.deadline);
  for (;;) {
    auto result = work(course.begin(call.sleeper));
    Decision decision =
        course.ended(result, retry_after(result), call.sleeper, call.random, call.stop.stop_requested());
    if (decision.stop == Stop::succeeded) return result;
    if (decision.stop == Stop::no) {
      observer.on_wait(course.last(), decision.wait);
      if (sleep_until(call.sleeper, Deadline::after(call.sleeper.now(), decision.wait).at(), call.stop)) continue;
      decision.stop = Stop::cancelled;
    }
    observer.on_stop(course.last(), decision.stop);
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
