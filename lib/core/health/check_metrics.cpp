#include "check_metrics.hpp"

namespace serin::health {
namespace {

constexpr std::array states{HealthStatus::up, HealthStatus::degraded, HealthStatus::unknown,
                            HealthStatus::out_of_service, HealthStatus::down};
constexpr std::array<std::pair<Kind, const char*>, 4> kinds{
    {{Kind::liveness, "liveness"}, {Kind::readiness, "readiness"}, {Kind::startup, "startup"}, {Kind::deep, "deep"}}};

double timestamp(const std::optional<WallTime>& at) { return at ? seconds_of(at->time_since_epoch()) : 0; }

}  // namespace

CheckMetrics::CheckMetrics(metrics::Registry& registry, const CheckOptions& options)
    : registry_(&registry), name_(options.name) {
  const metrics::Labels check{{"check", name_}};
  for (const auto& [kind, kind_name] : kinds)
    if (has(options.kinds, kind))
      serves_.push_back(
          &registry.gauge("health_check_status", "1: the check serves (up or degraded).",
                          {{"check", name_}, {"kind", kind_name}, {"critical", options.critical ? "true" : "false"}}));
  for (std::size_t i = 0; i < states.size(); ++i)
    states_[i] = &registry.gauge("health_check_state", "1: what the check says.",
                                 {{"check", name_}, {"state", std::string(health_status_name(states[i]))}});
  seconds_ = &registry.histogram("health_check_duration_seconds", "Of its runs.", metrics::latency_bounds(), check);
  timeouts_ = &registry.counter("health_check_timeouts_total", "Runs that took longer than their timeout.", check);
  stuck_ = &registry.gauge("health_check_stuck", "1: a run is over its time and has not come back.", check);
  age_ = &registry.gauge("health_check_age_seconds", "Since its last answer.", check);
  last_run_ = &registry.gauge("health_check_last_run_timestamp_seconds", "When its last run ended; 0: never.", check);
  last_success_ =
      &registry.gauge("health_check_last_success_timestamp_seconds", "When it last passed; 0: never.", check);
}

std::string_view CheckMetrics::result_of(const CheckAnswer& answer) noexcept {
  return answer.evaluated ? health_status_name(answer.status) : std::string_view("skip");
}

void CheckMetrics::finished(std::string_view result, Duration lasted) {
  registry_
      ->counter("health_checks_total", "Runs that ended, by what they said.",
                {{"check", name_}, {"result", std::string(result)}})
      .add();
  seconds_->observe(seconds_of(lasted));
}

void CheckMetrics::show(const CheckFacts& facts, Instant now) {
  const HealthStatus status = facts.status(now);
  for (metrics::Gauge* serves : serves_) serves->set(status <= HealthStatus::degraded ? 1 : 0);
  for (std::size_t i = 0; i < states.size(); ++i) states_[i]->set(states[i] == status ? 1 : 0);
  stuck_->set(facts.run && now > facts.run->deadline ? 1 : 0);
  age_->set(facts.counted ? seconds_of(now - facts.answered_at) : 0);
  last_run_->set(timestamp(facts.checked_at));
  last_success_->set(timestamp(facts.succeeded_at));
}

void CheckMetrics::clear() {
  for (metrics::Gauge* serves : serves_) serves->set(0);
  for (metrics::Gauge* state : states_) state->set(0);
  stuck_->set(0);
  age_->set(0);
}

}  // namespace serin::health
