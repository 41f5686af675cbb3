#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "serin/checks/result.hpp"
#include "serin/checks/store.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/clock.hpp"

namespace serin::checks {

struct HealthViewOptions {
  std::string file = {};                          ///< of which file the runs count; empty: of all
  Duration look_back = std::chrono::hours(24);    ///< results older than this say nothing any more
  Duration stale_after = std::chrono::hours(24);  ///< a last run older than this is no run
  bool latest_only = false;   ///< of each check only its last result; otherwise the worst one in the look-back
  bool fail_is_down = false;  ///< a failed check takes the service down; otherwise it degrades it
};

/// What the results of the look-back say together. Without a fresh run: unknown, whatever the results were. Pure.
[[nodiscard]] health::CheckAnswer judge_health(std::span<const StoredResult> results, std::optional<WallTime> last_run,
                                               WallTime now, const HealthViewOptions& options);
/// The same as a health check of a service. \param store, clock  outlive the function
[[nodiscard]] health::CheckFunction health_check(ResultStore& store, const Clock& clock, HealthViewOptions options);

enum class GateVerdict : std::uint8_t { pass, fail, unknown };
[[nodiscard]] std::string_view gate_name(GateVerdict verdict) noexcept;
struct GateAnswer {
  GateVerdict verdict = GateVerdict::unknown;
  std::string reason = {};
};
/// Whether a rollout may go on, from a run made now: fail when a check failed, unknown when one could not be evaluated
/// or nothing was, else pass; warnings pass. Pure.
[[nodiscard]] GateAnswer gate(const CheckReport& report);

}  // namespace serin::checks
