#pragma once
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serin/health/check_state.hpp"
#include "serin/metrics/metrics.hpp"

namespace serin::health {

/// What is counted of one check:
///   health_checks_total{check,result}, health_check_duration_seconds{check}, health_check_timeouts_total{check},
///   health_check_status{check,kind,critical} 1: serves, health_check_state{check,state} 1: that one,
///   health_check_stuck{check}, health_check_age_seconds{check},
///   health_check_last_run_timestamp_seconds{check}, health_check_last_success_timestamp_seconds{check}.
/// Threads: any.
class CheckMetrics {
 public:
  /// \param registry  outlives it
  CheckMetrics(metrics::Registry& registry, const CheckOptions& options);
  /// "skip" or the name of the status.
  [[nodiscard]] static std::string_view result_of(const CheckAnswer& answer) noexcept;
  /// A run ended. \param result  of result_of(), or "timeout"
  void finished(std::string_view result, Duration lasted);
  void timed_out() { timeouts_->add(); }
  /// Sets what is known now.
  void show(const CheckFacts& facts, Instant now);
  /// The check is gone: nothing of it is up.
  void clear();

 private:
  metrics::Registry* registry_;
  std::string name_;
  std::vector<metrics::Gauge*> serves_;
  std::array<metrics::Gauge*, 5> states_{};
  metrics::Histogram* seconds_;
  metrics::Counter* timeouts_;
  metrics::Gauge* stuck_;
  metrics::Gauge* age_;
  metrics::Gauge* last_run_;
  metrics::Gauge* last_success_;
};

}  // namespace serin::health
