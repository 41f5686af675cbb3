#include "serin/guard/target.hpp"

#include <fmt/format.h>

#include "serin/retry/presets.hpp"

namespace serin::guard {
namespace {

template <class Made, class Options>
Result<std::unique_ptr<retry::Budget>> checked_budget(const Options& options) {
  SERIN_CHECK(Made::check(options));
  return std::make_unique<Made>(options);
}
struct MakeBudget {
  using Made = Result<std::unique_ptr<retry::Budget>>;
  Made operator()(const retry::TokenBudgetOptions& options) const {
    return checked_budget<retry::TokenBudget>(options);
  }
  Made operator()(const retry::InFlightBudgetOptions& options) const {
    return checked_budget<retry::InFlightBudget>(options);
  }
  Made operator()(const retry::QuotaOptions& options) const { return checked_budget<retry::Quota>(options); }
};

Status check_time(const std::string& name, std::string_view field, const std::optional<Duration>& time) {
  if (!time || *time > Duration::zero()) return {};
  return fail(Errc::invalid_argument,
              fmt::format("target '{}': {} must be above 0, not {}", name, field, format_duration(*time)));
}

}  // namespace

Result<TargetPolicy> usual_policy(std::string_view retry_preset) {
  const std::optional<retry::Retry> retry = retry::preset(retry_preset);
  if (!retry) return fail(Errc::invalid_argument, fmt::format("there is no retry preset '{}'", retry_preset));
  return TargetPolicy{.retry = retry->options(),
                      .breaker = breaker::BreakerOptions{.window = breaker::WindowKind::time, .slow_call = 2s},
                      .bulkhead = limit::BulkheadOptions{.most = 64}};
}

Result<std::unique_ptr<Target>> Target::make(std::string name, Sleeper& sleeper, Random& random, Watchers watchers) {
  SERIN_TRY(const TargetPolicy policy, usual_policy());
  return make(std::move(name), sleeper, random, policy, watchers);
}

Result<std::unique_ptr<Target>> Target::make(std::string name, Sleeper& sleeper, Random& random,
                                             const TargetPolicy& policy, Watchers watchers) {
  SERIN_CHECK(check_time(name, "attempt_timeout", policy.attempt_timeout));
  SERIN_CHECK(check_time(name, "deadline", policy.deadline));
  retry::RetryOptions once;
  once.max_attempts = 1;
  SERIN_TRY(const retry::Retry retry, retry::Retry::make(policy.retry.value_or(once)));
  std::unique_ptr<Target> made(new Target(std::move(name), sleeper, random, retry));
  SERIN_TRY(made->budget_, std::visit(MakeBudget{}, policy.budget));
  SERIN_CHECK(made->add_limits(policy));
  if (watchers.metrics != nullptr) made->metrics_ = std::make_unique<TargetMetrics>(*watchers.metrics, made->name_);
  if (watchers.log != nullptr) {
    made->logger_.emplace(*watchers.log);
    if (made->breaker_) made->breaker_->on_change(log_changes(*made->logger_, made->name_));
  }
  return made;
}

Status Target::add_limits(const TargetPolicy& policy) {
  const auto named = [this](auto options) {
    options.name = name_;
    return options;
  };
  attempt_timeout_ = policy.attempt_timeout;
  deadline_ = policy.deadline;
  if (policy.breaker) {
    SERIN_TRY(breaker_, breaker::Breaker::make(named(*policy.breaker)));
  }
  if (policy.bulkhead) {
    SERIN_TRY(bulkhead_, limit::Bulkhead::make(named(*policy.bulkhead)));
  }
  if (policy.adaptive) {
    SERIN_TRY(adaptive_, limit::AdaptiveLimit::make(named(*policy.adaptive)));
  }
  if (!policy.rate) return {};
  const auto& [kind, rate] = *policy.rate;
  if (kind == RateKind::gcra) {
    SERIN_TRY(rate_, limit::RateLimit::make(named(rate)));
  } else {
    SERIN_TRY(bucket_, limit::TokenBucket::make(named(rate)));
  }
  return {};
}

TargetState Target::state() const {
  const Instant now = sleeper_.now();
  TargetState out{.budget_left = budget_->left()};
  if (breaker_) out.breaker = breaker_->snapshot(now);
  if (bulkhead_) out.bulkhead = bulkhead_->snapshot();
  if (adaptive_) out.adaptive = adaptive_->snapshot();
  if (rate_) out.rate_left = rate_->left(now);
  if (bucket_) out.rate_left = bucket_->left(now);
  return out;
}

}  // namespace serin::guard
