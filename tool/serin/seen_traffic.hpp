#pragma once
#include <cstdint>
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/ports/traffic.hpp"
#include "serin/rollout/plan.hpp"

namespace serin::tool {

/// What a plan is to see something in, and where that is known from.
struct SeenTraffic {
  double rate = 0;                   ///< requests a second
  double errors = 0;                 ///< share that fails
  double dispersion = 1;             ///< how much errors clump
  std::int64_t seconds = 0;          ///< that were counted
  std::int64_t history_seconds = 0;  ///< of them, those that a judge would learn from
  std::string source;                ///< for people
};

/// Counts of the last hour, or of what the plan learns from. Errors: the port's.
Result<SeenTraffic> recent_traffic(Traffic& traffic, const ServiceName& service, const rollout::PastPlan& past,
                                   Instant now);

/// Why a rollout by this plan would see nothing in such traffic; empty when it might see something, or when too little
/// was counted to know. It is sure: with fewer requests of the new version than a verdict needs errors, not even a
/// version that fails always is found. `serin plan` asks further. Pure.
[[nodiscard]] std::string sees_nothing(const rollout::PlanOptions& plan, const SeenTraffic& traffic);

}  // namespace serin::tool
