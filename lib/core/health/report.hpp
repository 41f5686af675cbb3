#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/check.hpp"

namespace serin::health {

struct CheckOptions {
  std::string name;       ///< unique within a service; [a-z0-9_]
  bool critical = true;   ///< its failure makes the service not ready; otherwise it only degrades
  Duration timeout = 2s;  ///< after which its answer is "fail, timeout", whatever it does; > 0
  Duration every = 5s;    ///< between an answer and the next run; > 0
  Duration failing = 1s;  ///< the same while it does not pass; > 0, <= every
};

/// What is known of a check. Plain data, so that what it means can be asked at any time.
struct CheckState {
  CheckOptions options;
  std::optional<Instant> running_since;
  std::optional<CheckAnswer> answer;  ///< of its last run that ended
  Instant answered_at{};
  Duration lasted{};
};

struct CheckReport {
  std::string name;
  bool critical = true;
  Duration duration{};
  CheckAnswer answer;
};

enum class Overall : std::uint8_t { healthy, degraded, unhealthy };
[[nodiscard]] std::string_view overall_name(Overall overall) noexcept;

struct HealthReport {
  Overall overall = Overall::unhealthy;
  std::string service;
  std::vector<CheckReport> checks;
};

/// What a check says now. Never run is a failure; running for longer than its timeout is a failure; an answer older
/// than three periods is a failure: unknown is never healthy. Pure.
[[nodiscard]] CheckReport evaluate(const CheckState& state, Instant now);
/// A critical failure is unhealthy, any other failure and any warning degraded; no check at all is healthy. Pure.
[[nodiscard]] Overall aggregate(const std::vector<CheckReport>& checks) noexcept;
/// The body of /ready and /health/deep. The counts always add up: run = passed + warned + failed. Without `details` the
/// texts that may hold secrets are left out. Pure.
[[nodiscard]] std::string render(const HealthReport& report, bool details);

}  // namespace serin::health
