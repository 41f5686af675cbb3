#pragma once
#include <string>

#include "serin/ports/health.hpp"
#include "serin/ports/http.hpp"

// What probers read that is no HTTP body.
namespace serin::endpoints {

struct AgentOptions {
  int degraded_percent = 100;  ///< of its weight that a degraded replica keeps; 1 to 100, else it is clamped
};

/// The line that answers HAProxy's agent-check, with its line feed: "ready up 100%", "drain", or "down #" and why. Only
/// the agent can take back its own drain or down, so what serves is always "ready up". Names the worst check, shows no
/// text of it. Manual of HAProxy 2.6, "agent-check". Pure.
[[nodiscard]] std::string agent_line(const health::HealthReport& report, AgentOptions options = {});

/// What Envoy's health checker reads in the headers of an answer: x-envoy-degraded (with 200 only),
/// x-envoy-immediate-health-check-fail while it drains, and x-envoy-upstream-healthchecked-cluster, who it is. Pure.
[[nodiscard]] HttpHeaders envoy_headers(const health::HealthReport& report, const health::Identity& identity);

}  // namespace serin::endpoints
