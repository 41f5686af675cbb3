#include "serin/judge/thresholds.hpp"

#include <algorithm>

namespace serin::judge {

bool FlaggerRule::check(std::optional<double> success_percent, std::optional<double> p99_ms) {
  const bool failing = !success_percent || *success_percent < options_.min_success_percent;
  const bool slow = options_.max_p99_ms && (!p99_ms || *p99_ms > *options_.max_p99_ms);
  if (failing || slow) ++failed_;
  return failed_ >= options_.threshold;
}

std::string_view argo_phase_name(ArgoPhase phase) noexcept {
  switch (phase) {
    case ArgoPhase::successful: return "Successful";
    case ArgoPhase::running: return "Running";
    case ArgoPhase::pending: return "Pending";
    case ArgoPhase::inconclusive: return "Inconclusive";
    case ArgoPhase::error: return "Error";
    case ArgoPhase::failed: return "Failed";
  }
  return "Error";
}

bool ArgoCondition::holds(double value) const noexcept {
  switch (is) {
    case Is::below: return value < bound;
    case Is::at_most: return value <= bound;
    case Is::above: return value > bound;
    case Is::at_least: return value >= bound;
  }
  return false;
}

ArgoPhase ArgoMetric::measure(std::optional<double> value) {
  ++measured_;
  if (!value) {
    ++errors_in_a_row_;
    successes_in_a_row_ = 0;
    return ArgoPhase::error;
  }
  errors_in_a_row_ = 0;
  ArgoPhase phase = ArgoPhase::inconclusive;
  if (options_.failure && options_.failure->holds(*value))
    phase = ArgoPhase::failed;
  else if (options_.success)
    phase = options_.success->holds(*value) ? ArgoPhase::successful
            : options_.failure              ? ArgoPhase::inconclusive
                                            : ArgoPhase::failed;
  else
    phase = ArgoPhase::successful;  // with a failure condition alone, or with none at all
  failed_ += phase == ArgoPhase::failed ? 1 : 0;
  inconclusive_ += phase == ArgoPhase::inconclusive ? 1 : 0;
  successes_in_a_row_ = phase == ArgoPhase::successful ? successes_in_a_row_ + 1 : 0;
  return phase;
}

ArgoPhase ArgoMetric::phase() const noexcept {
  if (options_.failure_limit >= 0 && failed_ > options_.failure_limit) return ArgoPhase::failed;
  if (errors_in_a_row_ > options_.consecutive_errors) return ArgoPhase::error;
  if (options_.inconclusive_limit >= 0 && inconclusive_ > options_.inconclusive_limit) return ArgoPhase::inconclusive;
  if (options_.consecutive_successes > 0 && successes_in_a_row_ >= options_.consecutive_successes)
    return ArgoPhase::successful;
  if (options_.count > 0 && measured_ >= options_.count) return ArgoPhase::successful;
  return measured_ == 0 ? ArgoPhase::pending : ArgoPhase::running;
}

ArgoPhase ArgoMetric::stopped() const noexcept {
  const ArgoPhase now = phase();
  return now == ArgoPhase::running || now == ArgoPhase::pending ? ArgoPhase::successful : now;
}

ArgoPhase worst_phase(std::span<const ArgoPhase> phases) noexcept {
  return phases.empty() ? ArgoPhase::successful : *std::ranges::max_element(phases);
}

}  // namespace serin::judge
