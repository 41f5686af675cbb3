#pragma once
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "serin/breaker/breaker.hpp"
#include "serin/guard/observer.hpp"
#include "serin/limit/adaptive.hpp"
#include "serin/limit/bulkhead.hpp"
#include "serin/metrics/metrics.hpp"
#include "serin/ports/log.hpp"

// Two observers that are ready: metrics and log lines.
namespace serin::guard {

/// The series of one target. Names and help are stable; docs/guide/resilience.md lists them. Threads: any.
class TargetMetrics {
 public:
  /// \param registry  outlives it
  TargetMetrics(metrics::Registry& registry, std::string_view target);
  /// Adds one happening: a few relaxed atomics, no allocation.
  void add(const Happening& happening) noexcept;

 private:
  static constexpr std::size_t outcomes = 6;
  static constexpr std::size_t stops = 8;
  std::array<metrics::Counter*, outcomes> attempts_{};  // by OutcomeClass
  std::array<metrics::Counter*, stops> stops_{};        // by retry::Stop; null: cannot happen
  std::array<metrics::Counter*, 4> rejections_{};       // breaker, bulkhead, rate, budget
  metrics::Counter* retries_;
  metrics::Counter* hedges_sent_;
  metrics::Counter* hedges_won_;
  metrics::Counter* fallbacks_;
  metrics::Counter* deadlines_;
  metrics::Counter* chaos_;
  metrics::Histogram* attempt_seconds_;
  metrics::Histogram* wait_seconds_;
};

/// Counts into a target's series.
struct MetricsObserver {
  TargetMetrics& metrics;
  void on_event(const Happening& happening) const noexcept { metrics.add(happening); }
};

/// Writes "resilience.<what>" lines: what hurts users as a warning (rejections, retries that stopped), the rest as
/// info, attempts as debug.
struct LogObserver {
  const Logger& logger;
  void on_event(const Happening& happening) const;
};

/// Both, each if it is there: for those who decide when the program runs.
struct Recorders {
  TargetMetrics* metrics = nullptr;
  const Logger* logger = nullptr;
  void on_event(const Happening& happening) const {
    if (metrics != nullptr) metrics->add(happening);
    if (logger != nullptr) LogObserver{*logger}.on_event(happening);
  }
};

/// What a target's shared parts say now; nothing for those that its policy does not have. As gauges, to be written when
/// /metrics is asked: resilience_breaker_state (0 closed, 1 half-open, 2 open), resilience_budget_left (0 to 1),
/// resilience_bulkhead_inside, _waiting, resilience_adaptive_limit, resilience_adaptive_in_flight,
/// resilience_rate_left.
struct TargetState {
  std::optional<breaker::Breaker::Snapshot> breaker = {};
  double budget_left = 1;
  std::optional<limit::Bulkhead::Snapshot> bulkhead = {};
  std::optional<limit::AdaptiveLimit::Snapshot> adaptive = {};
  std::optional<double> rate_left = {};  ///< calls that could be made right now
};
void write_gauges(metrics::Registry& registry, std::string_view target, const TargetState& state);

/// A listener for Breaker::on_change() that writes "resilience.breaker" lines. \param logger  outlives the breaker
[[nodiscard]] std::function<void(breaker::State, breaker::State)> log_changes(const Logger& logger, std::string target);

}  // namespace serin::guard
