#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/breaker/breaker.hpp"
#include "serin/config/yaml.hpp"
#include "serin/limit/adaptive.hpp"
#include "serin/limit/bulkhead.hpp"
#include "serin/limit/rate.hpp"
#include "serin/retry/budget.hpp"
#include "serin/retry/retry.hpp"

namespace serin::policy {

enum class RateKind : std::uint8_t { gcra, bucket };
using BudgetOptions = std::variant<retry::TokenBudgetOptions, retry::InFlightBudgetOptions, retry::QuotaOptions>;

/// What calls to one target are guarded with. What is absent is not wanted; only the budget always has a value, as
/// retries without one make an outage worse. All options pass their checks.
struct TargetPolicy {
  std::string target;  ///< "warehouse", or with a star at its end "http:*"
  std::optional<retry::RetryOptions> retry;
  BudgetOptions budget = retry::TokenBudgetOptions{};
  std::optional<breaker::BreakerOptions> breaker;
  std::optional<limit::BulkheadOptions> bulkhead;
  std::optional<std::pair<RateKind, limit::RateOptions>> rate;
  std::optional<limit::AdaptiveOptions> adaptive;
  std::optional<Duration> attempt_timeout;
  std::optional<Duration> deadline;  ///< of the whole call
};

/// The section `resilience:` of a file. A value.
class Policies {
 public:
  explicit Policies(std::vector<TargetPolicy> targets = {}) : targets_(std::move(targets)) {}
  /// The policy of this very name, or else the one whose star fits with the longest text before it; null: none fits.
  [[nodiscard]] const TargetPolicy* find(std::string_view target) const;
  [[nodiscard]] const std::vector<TargetPolicy>& targets() const noexcept { return targets_; }

 private:
  std::vector<TargetPolicy> targets_;
};

/// Reads the section from a file that has others too. Mistakes are recorded in the map's file; who reads it asks for
/// its status() or mistakes().
Policies read_policies(config::YamlMap& root);

/// A file that holds the section and nothing else. Errors: invalid_argument with every mistake, a line each, in the
/// order of the file: "file:line:column: warehouse.retry.max_attempts must be from 1 (no retry) to 1000, not 0".
[[nodiscard]] Result<Policies> parse_policies(std::string_view text, std::string_view file);

}  // namespace serin::policy
