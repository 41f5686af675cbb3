#pragma once
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "serin/guard/maybe.hpp"
#include "serin/guard/pipeline.hpp"
#include "serin/guard/recorders.hpp"
#include "serin/guard/target_policy.hpp"
#include "serin/limit/token_bucket.hpp"

namespace serin::guard {

/// Who hears of what happens at a target. Both outlive it; null: nobody.
struct Watchers {
  metrics::Registry* metrics = nullptr;
  LogSink* log = nullptr;
};

/// Something outside that is called: what its policy asks for, shared by everybody who calls it, and the pipeline
/// around one call: deadline, retries, rate, breaker, limits on calls at once, attempt timeout. The Guarded... ports
/// are this around each of their functions. Threads: any.
class Target {
 public:
  /// \param name  in errors, states, metrics and log lines  \param sleeper, random  outlive it
  /// Errors: invalid_argument, naming the target and the option.
  static Result<std::unique_ptr<Target>> make(std::string name, Sleeper& sleeper, Random& random,
                                              const TargetPolicy& policy, Watchers watchers = {});
  /// The same with usual_policy().
  static Result<std::unique_ptr<Target>> make(std::string name, Sleeper& sleeper, Random& random,
                                              Watchers watchers = {});
  /// \param work  takes a const Context&, keeps its deadline and returns a Result<T>; called once an attempt
  template <class Work>
  auto run(Idempotency idempotency, Deadline deadline, const Work& work, std::stop_token stop = {})
      -> decltype(work(std::declval<const Context&>())) {
    const Context context{.sleeper = sleeper_,
                          .random = random_,
                          .deadline = deadline,
                          .idempotency = idempotency,
                          .target = name_,
                          .stop = std::move(stop)};
    const auto guarded = pipeline(
        if_there<TotalDeadline>(deadline_), Retrying{retry_, *budget_}, if_there<Paced<limit::RateLimit>>(rate_),
        if_there<Paced<limit::TokenBucket>>(bucket_), if_there<Breaking>(breaker_), if_there<Adapting>(adaptive_),
        if_there<Bounded>(bulkhead_), if_there<AttemptTimeout>(attempt_timeout_));
    if (!metrics_ && !logger_) return guarded.run(context, work);
    const Recorders recorders{.metrics = metrics_.get(), .logger = logger_ ? &*logger_ : nullptr};
    return guarded.observed(recorders).run(context, work);
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Null: its policy has none.
  [[nodiscard]] breaker::Breaker* breaker() noexcept { return breaker_.get(); }
  [[nodiscard]] TargetState state() const;
  /// The state as gauges: to be called when /metrics is asked.
  void write_gauges(metrics::Registry& registry) const { guard::write_gauges(registry, name_, state()); }

 private:
  Target(std::string name, Sleeper& sleeper, Random& random, const retry::Retry& retry)
      : name_(std::move(name)), sleeper_(sleeper), random_(random), retry_(retry) {}
  Status add_limits(const TargetPolicy& policy);

  std::string name_;
  Sleeper& sleeper_;
  Random& random_;
  retry::Retry retry_;
  std::unique_ptr<retry::Budget> budget_;
  std::unique_ptr<breaker::Breaker> breaker_;
  std::unique_ptr<limit::Bulkhead> bulkhead_;
  std::unique_ptr<limit::RateLimit> rate_;
  std::unique_ptr<limit::TokenBucket> bucket_;
  std::unique_ptr<limit::AdaptiveLimit> adaptive_;
  std::optional<Duration> attempt_timeout_;
  std::optional<Duration> deadline_;
  std::unique_ptr<TargetMetrics> metrics_;  // null: nobody counts
  std::optional<Logger> logger_;
};

}  // namespace serin::guard
