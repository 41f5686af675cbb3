#pragma once
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "serin/guard/pipeline.hpp"
#include "serin/guard/recorders.hpp"

namespace serin::guard {

struct TargetOptions {
  std::string name = "target";            ///< of what is called: in errors, states, metrics and log lines
  std::string retry_preset = "database";  ///< of retry/presets.hpp
  retry::TokenBudgetOptions budget = {};
  breaker::BreakerOptions breaker = {.window = breaker::WindowKind::time, .slow_call = 2s};  ///< its name is replaced
  std::int64_t calls_at_once = 64;
  Duration attempt_timeout{};            ///< of one attempt; 0: only the call's deadline
  metrics::Registry* metrics = nullptr;  ///< counts what happens; outlives it
  LogSink* log = nullptr;                ///< hears what happens; outlives it
};

/// Something outside that is called: its retry policy, budget, breaker and bulkhead, shared by everybody who calls it,
/// and the pipeline around one call. The Guarded... ports are this around each of their functions. Threads: any.
class Target {
 public:
  /// \param sleeper, random  outlive it
  /// Errors: invalid_argument, naming the option.
  static Result<std::unique_ptr<Target>> make(Sleeper& sleeper, Random& random, TargetOptions options);
  /// \param work  takes a const Context&, keeps its deadline and returns a Result<T>; called once an attempt
  template <class Work>
  auto run(Idempotency idempotency, Deadline deadline, const Work& work, std::stop_token stop = {})
      -> decltype(work(std::declval<const Context&>())) {
    const Context context{.sleeper = sleeper_,
                          .random = random_,
                          .deadline = deadline,
                          .idempotency = idempotency,
                          .target = name(),
                          .stop = std::move(stop)};
    const auto guarded = pipeline(Retrying{retry_, budget_}, Breaking{*breaker_}, Bounded{*bulkhead_});
    if (!metrics_ && !logger_) return guarded.run(context, work);
    const Recorders recorders{.metrics = metrics_.get(), .logger = logger_ ? &*logger_ : nullptr};
    return guarded.observed(recorders).run(context, work);
  }
  [[nodiscard]] const std::string& name() const noexcept { return breaker_->options().name; }
  [[nodiscard]] breaker::Breaker& breaker() noexcept { return *breaker_; }
  [[nodiscard]] TargetState state() const;
  /// The state as gauges: to be called when /metrics is asked.
  void write_gauges(metrics::Registry& registry) const { guard::write_gauges(registry, name(), state()); }

 private:
  Target(Sleeper& sleeper, Random& random, const retry::TokenBudgetOptions& budget, retry::Retry retry)
      : sleeper_(sleeper), random_(random), retry_(std::move(retry)), budget_(budget) {}
  Sleeper& sleeper_;
  Random& random_;
  retry::Retry retry_;
  retry::TokenBudget budget_;
  std::unique_ptr<breaker::Breaker> breaker_;
  std::unique_ptr<limit::Bulkhead> bulkhead_;
  std::unique_ptr<TargetMetrics> metrics_;  // null: nobody counts
  std::optional<Logger> logger_;
};

}  // namespace serin::guard
