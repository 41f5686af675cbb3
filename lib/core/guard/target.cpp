#include "serin/guard/target.hpp"

#include <fmt/format.h>

#include "serin/retry/presets.hpp"

namespace serin::guard {

Result<std::unique_ptr<Target>> Target::make(Sleeper& sleeper, Random& random, TargetOptions options) {
  std::optional<retry::Retry> retry = retry::preset(options.retry_preset);
  if (!retry) return fail(Errc::invalid_argument, fmt::format("there is no retry preset '{}'", options.retry_preset));
  if (options.attempt_timeout < 0s)
    return fail(Errc::invalid_argument, fmt::format("{}: attempt_timeout must be 0 or more", options.name));
  if (options.attempt_timeout > 0s) {
    retry::RetryOptions changed = retry->options();
    changed.attempt_timeout = options.attempt_timeout;
    SERIN_TRY(retry, retry::Retry::make(std::move(changed)));
  }
  SERIN_CHECK(retry::TokenBudget::check(options.budget));
  std::unique_ptr<Target> made(new Target(sleeper, random, options.budget, *std::move(retry)));
  options.breaker.name = options.name;
  SERIN_TRY(made->breaker_, breaker::Breaker::make(std::move(options.breaker)));
  SERIN_TRY(made->bulkhead_, limit::Bulkhead::make({.name = options.name, .most = options.calls_at_once}));
  if (options.metrics != nullptr) made->metrics_ = std::make_unique<TargetMetrics>(*options.metrics, options.name);
  if (options.log != nullptr) {
    made->logger_.emplace(*options.log);
    made->breaker_->on_change(log_changes(*made->logger_, options.name));
  }
  return made;
}

TargetState Target::state() const {
  return {
      .breaker = breaker_->snapshot(sleeper_.now()), .budget_left = budget_.left(), .bulkhead = bulkhead_->snapshot()};
}

}  // namespace serin::guard
