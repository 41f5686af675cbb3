#pragma once
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/breaker/breaker.hpp"
#include "serin/limit/adaptive.hpp"
#include "serin/limit/bulkhead.hpp"
#include "serin/limit/rate.hpp"
#include "serin/retry/budget.hpp"
#include "serin/retry/retry.hpp"

namespace serin::guard {

enum class RateKind : std::uint8_t { gcra, bucket };
using BudgetOptions = std::variant<retry::TokenBudgetOptions, retry::InFlightBudgetOptions, retry::QuotaOptions>;

/// What calls to one target are guarded with, known when the program runs. What is absent is not wanted; only the
/// budget always has a value, as retries without one make an outage worse. The names inside are replaced by the
/// target's.
struct TargetPolicy {
  std::optional<retry::RetryOptions> retry = {};
  BudgetOptions budget = retry::TokenBudgetOptions{};
  std::optional<breaker::BreakerOptions> breaker = {};
  std::optional<limit::BulkheadOptions> bulkhead = {};
  std::optional<std::pair<RateKind, limit::RateOptions>> rate = {};
  std::optional<limit::AdaptiveOptions> adaptive = {};
  std::optional<Duration> attempt_timeout = {};  ///< of one attempt; > 0
  std::optional<Duration> deadline = {};         ///< of the whole call, retries and waits included; > 0
};

/// What is used where nobody says otherwise: the preset's retries, a breaker over the last 10 s to which 2 s are slow,
/// 64 calls at once. Errors: invalid_argument (there is no such preset).
[[nodiscard]] Result<TargetPolicy> usual_policy(std::string_view retry_preset = "database");

}  // namespace serin::guard
