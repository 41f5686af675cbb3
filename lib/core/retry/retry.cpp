#include "serin/retry/retry.hpp"

#include <algorithm>
#include <vector>

#include "serin/base/split_mix.hpp"

namespace serin::retry {
namespace {

double unit(std::uint64_t random) { return static_cast<double>(random >> 11) * 0x1.0p-53; }

}  // namespace

Result<Retry> Retry::make(const RetryOptions& options) {
  SERIN_CHECK(wrongs(options).status("retry."));
  SERIN_TRY(const Backoff backoff, Backoff::make(options.backoff));
  return Retry(options, backoff);
}

std::string_view stop_name(Stop stop) noexcept {
  switch (stop) {
    case Stop::no: return "no";
    case Stop::succeeded: return "succeeded";
    case Stop::permanent: return "permanent";
    case Stop::attempts_used: return "attempts_used";
    case Stop::not_idempotent: return "not_idempotent";
    case Stop::past_deadline: return "past_deadline";
    case Stop::budget_empty: return "budget_empty";
    case Stop::cancelled: return "cancelled";
  }
  return "permanent";
}

Decision decide(const Retry& retry, const Attempted& attempted, Idempotency idempotency, Instant now, Deadline deadline,
                std::uint64_t random) {
  const RetryOptions& options = retry.options();
  if (attempted.outcome == OutcomeClass::success) return {.stop = Stop::succeeded};
  // What was surely not executed because of a limit of ours may be tried again too: it is ignored by everybody else.
  if (!is_retryable(attempted.outcome) && !attempted.surely_not_executed) return {.stop = Stop::permanent};
  if (attempted.number >= options.max_attempts) return {.stop = Stop::attempts_used};
  if (idempotency == Idempotency::not_idempotent && !attempted.surely_not_executed)
    return {.stop = Stop::not_idempotent};
  Duration wait = retry.backoff().wait(attempted.number, random, attempted.previous_wait);
  if (attempted.retry_after && *attempted.retry_after > Duration::zero()) {
    // A lower bound, spread upwards: those who were told the same time must not come back at the same time.
    const double spread = 1 + options.retry_after_spread * unit(random * 0xD1342543DE82EF95ULL + 1);
    const double seconds = seconds_of(*attempted.retry_after) * spread;
    wait = std::max({wait, *attempted.retry_after, duration_of_seconds(seconds)});
  }
  if (wait >= deadline.left(now)) return {.stop = Stop::past_deadline};
  return {.stop = Stop::no, .wait = wait};
}

Decision Course::after_giving_up() {
  if (owes_retry_) settle();
  return {.stop = Stop::cancelled};
}

Decision Course::after_failure(Instant now, Random& random) {
  if (owes_retry_) settle();
  const Decision decision = decide(retry_, last_, idempotency_, now, deadline_, random.next());
  if (decision.stop != Stop::no) return decision;
  if (Budget* const budget = counted_.budget()) {
    if (!budget->try_retry(last_.outcome == OutcomeClass::timeout)) return {.stop = Stop::budget_empty};
    owes_retry_ = true;
  }
  last_.previous_wait = decision.wait;
  return decision;
}

TotalWait total_wait(const Retry& retry) {
  constexpr std::size_t runs = 20'000;
  std::uint64_t state = 1;  // always the same figures, on every machine
  std::vector<double> sums;
  sums.reserve(runs);
  double all = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    double sum = 0;
    Duration previous{};
    for (int failures = 1; failures < retry.options().max_attempts; ++failures) {
      previous = retry.backoff().wait(failures, split_mix(state), previous);
      sum += seconds_of(previous);
    }
    sums.push_back(sum);
    all += sum;
  }
  std::ranges::sort(sums);
  return {.mean = duration_of_seconds(all / static_cast<double>(runs)),
          .p95 = duration_of_seconds(sums[runs * 95 / 100])};
}

}  // namespace serin::retry
