#include "serin/guard/recorders.hpp"

#include <cstddef>
#include <utility>

namespace serin::guard {
namespace {

constexpr std::array all_outcomes{OutcomeClass::success, OutcomeClass::transient, OutcomeClass::throttled,
                                  OutcomeClass::timeout, OutcomeClass::permanent, OutcomeClass::ignored};
constexpr std::array real_stops{retry::Stop::permanent,     retry::Stop::attempts_used, retry::Stop::not_idempotent,
                                retry::Stop::past_deadline, retry::Stop::budget_empty,  retry::Stop::cancelled};
constexpr std::array<std::string_view, 4> limits{"breaker", "bulkhead", "rate", "budget"};

LogLevel level_of(What what) {
  switch (what) {
    case What::attempt_ended: return LogLevel::debug;
    case What::retry_stopped:
    case What::rejected_by_breaker:
    case What::rejected_by_bulkhead:
    case What::rejected_by_rate:
    case What::rejected_by_budget:
    case What::deadline_hit: return LogLevel::warn;
    case What::retry_wait:
    case What::hedge_sent:
    case What::hedge_won:
    case What::fallback_used:
    case What::chaos_injected: break;
  }
  return LogLevel::info;
}

double number_of(breaker::State state) {
  switch (state) {
    case breaker::State::closed: return 0;
    case breaker::State::half_open: return 1;
    case breaker::State::open: return 2;
  }
  return 2;
}

}  // namespace

TargetMetrics::TargetMetrics(metrics::Registry& registry, std::string_view target) {
  const auto labels = [&](std::string_view name = {}, std::string_view value = {}) {
    metrics::Labels out{{"target", std::string(target)}};
    if (!name.empty()) out.emplace_back(name, value);
    return out;
  };
  for (const OutcomeClass outcome : all_outcomes)
    attempts_[static_cast<std::size_t>(outcome)] =
        &registry.counter("resilience_attempts_total", "Attempts that ended, by what they came to.",
                          labels("outcome", outcome_class_name(outcome)));
  for (const retry::Stop stop : real_stops)
    stops_[static_cast<std::size_t>(stop)] =
        &registry.counter("resilience_stopped_total", "Calls that failed and were not tried again, by reason.",
                          labels("reason", retry::stop_name(stop)));
  for (std::size_t i = 0; i < limits.size(); ++i)
    rejections_[i] = &registry.counter("resilience_rejected_total", "Attempts that a limit of ours did not let out.",
                                       labels("by", limits[i]));
  retries_ = &registry.counter("resilience_retries_total", "Attempts after the first that were decided.", labels());
  hedges_sent_ = &registry.counter("resilience_hedges_total", "Requests sent beside a slow one, and those that won.",
                                   labels("state", "sent"));
  hedges_won_ = &registry.counter("resilience_hedges_total", "", labels("state", "won"));
  fallbacks_ = &registry.counter("resilience_fallbacks_total", "Errors that another answer replaced.", labels());
  deadlines_ = &registry.counter("resilience_deadlines_hit_total", "Times that a deadline ended something.", labels());
  chaos_ = &registry.counter("resilience_chaos_total", "Faults of a drill.", labels());
  attempt_seconds_ =
      &registry.histogram("resilience_attempt_seconds", "How long attempts took.", metrics::latency_bounds(), labels());
  wait_seconds_ = &registry.histogram("resilience_retry_wait_seconds", "How long retries waited before an attempt.",
                                      metrics::latency_bounds(), labels());
}

void TargetMetrics::add(const Happening& happening) noexcept {
  switch (happening.what) {
    case What::attempt_ended:
      attempts_[static_cast<std::size_t>(happening.outcome)]->add();
      return attempt_seconds_->observe(seconds_of(happening.time));
    case What::retry_wait: retries_->add(); return wait_seconds_->observe(seconds_of(happening.time));
    case What::retry_stopped:
      if (metrics::Counter* const counter = stops_[static_cast<std::size_t>(happening.stop)]) counter->add();
      return;
    case What::rejected_by_breaker: return rejections_[0]->add();
    case What::rejected_by_bulkhead: return rejections_[1]->add();
    case What::rejected_by_rate: return rejections_[2]->add();
    case What::rejected_by_budget: return rejections_[3]->add();
    case What::hedge_sent: return hedges_sent_->add();
    case What::hedge_won: return hedges_won_->add();
    case What::fallback_used: return fallbacks_->add();
    case What::deadline_hit: return deadlines_->add();
    case What::chaos_injected: return chaos_->add();
  }
}

void LogObserver::on_event(const Happening& happening) const {
  const std::string event = "resilience." + std::string(what_name(happening.what));
  const auto write = [&](std::initializer_list<LogField> fields) {
    switch (level_of(happening.what)) {
      case LogLevel::debug: return logger.debug(event, fields);
      case LogLevel::warn: return logger.warn(event, fields);
      case LogLevel::info:
      case LogLevel::error:
      case LogLevel::off: return logger.info(event, fields);
    }
  };
  const LogField target("target", happening.target);
  const LogField attempt("attempt", happening.attempt);
  switch (happening.what) {
    case What::attempt_ended:
    case What::retry_wait:
      return write({target,
                    attempt,
                    {"outcome", outcome_class_name(happening.outcome)},
                    {"seconds", seconds_of(happening.time)}});
    case What::retry_stopped:
      return write({target,
                    attempt,
                    {"outcome", outcome_class_name(happening.outcome)},
                    {"reason", retry::stop_name(happening.stop)}});
    case What::hedge_sent:
    case What::hedge_won: return write({target, attempt, {"hedge", happening.hedge}});
    case What::fallback_used: return write({target, attempt, {"outcome", outcome_class_name(happening.outcome)}});
    case What::rejected_by_breaker:
    case What::rejected_by_bulkhead:
    case What::rejected_by_rate:
    case What::rejected_by_budget:
    case What::deadline_hit:
    case What::chaos_injected: break;
  }
  write({target, attempt});
}

void write_gauges(metrics::Registry& registry, std::string_view target, const TargetState& state) {
  const auto set = [&](std::string_view name, std::string_view help, double value) {
    registry.gauge(name, help, {{"target", std::string(target)}}).set(value);
  };
  if (state.breaker) set("resilience_breaker_state", "0 closed, 1 half-open, 2 open.", number_of(state.breaker->state));
  set("resilience_budget_left", "What is left of the retry budget, 0 to 1.", state.budget_left);
  if (state.bulkhead) {
    set("resilience_bulkhead_inside", "Calls in flight.", static_cast<double>(state.bulkhead->inside));
    set("resilience_bulkhead_waiting", "Callers that wait for a place.", static_cast<double>(state.bulkhead->waiting));
  }
  if (state.adaptive) {
    set("resilience_adaptive_limit", "Calls at once that the limit allows now.", state.adaptive->limit);
    set("resilience_adaptive_in_flight", "Calls in flight.", static_cast<double>(state.adaptive->in_flight));
  }
  if (state.rate_left) set("resilience_rate_left", "Calls that the rate would let through at once.", *state.rate_left);
}

std::function<void(breaker::State, breaker::State)> log_changes(const Logger& logger, std::string target) {
  return [&logger, target = std::move(target)](breaker::State from, breaker::State to) {
    logger.warn("resilience.breaker",
                {{"target", target}, {"from", breaker::state_name(from)}, {"to", breaker::state_name(to)}});
  };
}

}  // namespace serin::guard
