#include "serin/endpoints/probers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "view.hpp"

namespace serin::endpoints {

using health::HealthStatus;

std::string agent_line(const health::HealthReport& report, AgentOptions options) {
  HealthStatus status = report.status;
  const health::CheckReport* culprit = nullptr;
  for (const health::CheckReport& check : report.checks) {
    const HealthStatus its = contribution(check);
    status = std::max(status, its);
    if (its >= HealthStatus::unknown && (culprit == nullptr || its > contribution(*culprit))) culprit = &check;
  }
  const bool works = status <= HealthStatus::degraded;
  // A broken replica must not keep the sessions that a leaving one keeps.
  if (report.draining && !is_broken(report)) return "drain\n";
  if (works) {
    const int percent = status == HealthStatus::up ? 100 : std::clamp(options.degraded_percent, 1, 100);
    return fmt::format("ready up {}%\n", percent);
  }
  constexpr std::size_t longest = 64;  // HAProxy keeps the beginning of a line only
  const std::string_view name = culprit != nullptr ? std::string_view(culprit->name) : std::string_view("service");
  return fmt::format("down #{} {}\n", one_line(cut(name, longest)), health::health_status_name(status));
}

HttpHeaders envoy_headers(const health::HealthReport& report, const health::Identity& identity) {
  HttpHeaders out;
  if (report.draining) out.add("x-envoy-immediate-health-check-fail", "true");
  if (report.status == HealthStatus::degraded) out.add("x-envoy-degraded", "true");
  out.add("x-envoy-upstream-healthchecked-cluster", one_line(identity.service));
  return out;
}

}  // namespace serin::endpoints
