#include "metric_table.hpp"

#include <algorithm>
#include <array>

namespace serin::monitor {
namespace {

constexpr auto table = std::to_array<MetricRow>({
    {"check_duration_seconds", "gauge", "seconds", "How long a data check's statement took", "check table"},
    {"check_last_run_timestamp_seconds", "gauge", "seconds", "When a data check ran last", "check table"},
    {"check_outcome", "gauge", "1", "0 pass, 1 warn, 2 fail, 3 error, 4 not evaluated", "check table"},
    {"check_value", "gauge", "1", "What a data check measured", "check table"},
    {"fleet_pool_borrows_total", "counter", "1", "Borrowers of a connection, by what became of them.",
     "database pool end"},
    {"fleet_pool_closed_total", "counter", "1", "Connections that were closed, by why.", "database pool why"},
    {"fleet_pool_connections", "gauge", "1", "Connections of a pool, by what is done with them.",
     "database pool state"},
    {"fleet_pool_create_failures_total", "counter", "1", "Connections that could not be opened.", "database pool"},
    {"fleet_pool_created_total", "counter", "1", "Connections that were opened.", "database pool"},
    {"fleet_pool_max", "gauge", "1", "Connections that there may be at once.", "database pool"},
    {"fleet_pool_use_microseconds_total", "counter", "microseconds", "How long connections were lent, together.",
     "database pool"},
    {"fleet_pool_wait_microseconds_total", "counter", "microseconds", "What they waited, together.", "database pool"},
    {"fleet_pool_waiting", "gauge", "1", "Borrowers that wait for a connection.", "database pool"},
    {"fleet_pool_waits_total", "counter", "1", "Borrowers that were served after a wait.", "database pool"},
    {"fleet_warehouse_statements", "gauge", "1",
     "Statements that reached the warehouse behind all protection; in drills.", ""},
    {"health_check_age_seconds", "gauge", "seconds", "Since its last answer.", "check"},
    {"health_check_duration_seconds", "histogram", "seconds", "Of its runs.", "check"},
    {"health_check_last_run_timestamp_seconds", "gauge", "seconds", "When its last run ended; 0: never.", "check"},
    {"health_check_last_success_timestamp_seconds", "gauge", "seconds", "When it last passed; 0: never.", "check"},
    {"health_check_state", "gauge", "1", "1: what the check says.", "check state"},
    {"health_check_status", "gauge", "1", "1: the check serves (up or degraded).", "check kind critical"},
    {"health_check_stuck", "gauge", "1", "1: a run is over its time and has not come back.", "check"},
    {"health_check_timeouts_total", "counter", "1", "Runs that took longer than their timeout.", "check"},
    {"health_checks_total", "counter", "1", "Runs that ended, by what they said.", "check result"},
    {"health_draining", "gauge", "1", "1: the process is ending.", ""},
    {"http_request_duration_seconds", "histogram", "seconds", "From the whole request to the answer.", "route"},
    {"http_requests_in_flight", "gauge", "1", "Requests being served.", ""},
    {"http_requests_total", "counter", "1", "Requests that were answered.", "route status"},
    {"log_records_total", "counter", "1", "Lines written to the log, by level.", "level"},
    {"resilience_adaptive_in_flight", "gauge", "1", "Calls in flight.", "target"},
    {"resilience_adaptive_limit", "gauge", "1", "Calls at once that the limit allows now.", "target"},
    {"resilience_attempt_seconds", "histogram", "seconds", "How long attempts took.", "target"},
    {"resilience_attempts_total", "counter", "1", "Attempts that ended, by what they came to.", "target outcome"},
    {"resilience_breaker_state", "gauge", "1", "0 closed, 1 half-open, 2 open.", "target"},
    {"resilience_budget_left", "gauge", "1", "What is left of the retry budget, 0 to 1.", "target"},
    {"resilience_bulkhead_inside", "gauge", "1", "Calls in flight.", "target"},
    {"resilience_bulkhead_waiting", "gauge", "1", "Callers that wait for a place.", "target"},
    {"resilience_chaos_total", "counter", "1", "Faults of a drill.", "target"},
    {"resilience_deadlines_hit_total", "counter", "1", "Times that a deadline ended something.", "target"},
    {"resilience_fallbacks_total", "counter", "1", "Errors that another answer replaced.", "target"},
    {"resilience_hedges_total", "counter", "1", "Requests sent beside a slow one, and those that won.", "target state"},
    {"resilience_rate_left", "gauge", "1", "Calls that the rate would let through at once.", "target"},
    {"resilience_rejected_total", "counter", "1", "Attempts that a limit of ours did not let out.", "target by"},
    {"resilience_retries_total", "counter", "1", "Attempts after the first that were decided.", "target"},
    {"resilience_retry_wait_seconds", "histogram", "seconds", "How long retries waited before an attempt.", "target"},
    {"resilience_stopped_total", "counter", "1", "Calls that failed and were not tried again, by reason.",
     "target reason"},
});
static_assert(std::ranges::is_sorted(table, {}, &MetricRow::name));

}  // namespace

std::span<const MetricRow> metric_table() noexcept { return table; }

const MetricRow* find_metric(std::string_view name) noexcept {
  const auto* at = std::ranges::lower_bound(table, name, {}, &MetricRow::name);
  return at != table.end() && at->name == name ? at : nullptr;
}

bool has_label(const MetricRow& row, std::string_view label) noexcept {
  std::string_view rest = row.labels;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(' '));
    if (one == label) return true;
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
  }
  return false;
}

}  // namespace serin::monitor
