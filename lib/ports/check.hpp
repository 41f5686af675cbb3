#pragma once
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/log.hpp"

// What a health check is, for those who write one: adapters offer checks of what they reach, `core/health` runs them.
namespace serin::health {

/// What is known of a thing, the best first: of several, the worst one counts. Unknown is worse than degraded on
/// purpose: what nobody looked at does not serve.
enum class HealthStatus : std::uint8_t {
  up,              ///< it works
  degraded,        ///< it works, less well
  unknown,         ///< nobody knows: never asked, asked too long ago, or no answer in time
  out_of_service,  ///< somebody took it out on purpose
  down,            ///< it does not work
};
/// "up", "degraded", "unknown", "out_of_service", "down": stable, in logs and metric labels.
[[nodiscard]] std::string_view health_status_name(HealthStatus status) noexcept;

/// What a check found. Details and error may hold secrets: only callers with the key see them.
struct CheckAnswer {
  HealthStatus status = HealthStatus::unknown;
  bool evaluated = true;  ///< false: there was nothing to ask about ("no games today"), which is fine
  std::vector<LogField> details = {};
  std::string error = {};   ///< what went wrong, in its own words
  std::string reason = {};  ///< a stable word: "timeout", "stale", "not_run_yet", "warehouse_down"

  [[nodiscard]] static CheckAnswer pass(std::vector<LogField> details = {});
  /// Works, less well: degraded.
  [[nodiscard]] static CheckAnswer warn(std::string reason, std::string error, std::vector<LogField> details = {});
  /// Does not work: down.
  [[nodiscard]] static CheckAnswer fail(std::string reason, std::string error, std::vector<LogField> details = {});
  /// Could not be found out.
  [[nodiscard]] static CheckAnswer unknown(std::string reason, std::string error, std::vector<LogField> details = {});
  /// Not asked, and why: "no games today". Counts as up.
  [[nodiscard]] static CheckAnswer skip(std::string reason);
  /// An error is a failure; its code is the reason.
  [[nodiscard]] static CheckAnswer of(const Error& error);
};

/// What a check is told when it is asked.
struct CheckContext {
  Deadline deadline;     ///< an answer after it is worth nothing
  std::stop_token stop;  ///< requested at the deadline, and when the process ends
  /// Most checks need only the deadline: `[](Deadline deadline) { ... }` is one.
  operator Deadline() const noexcept { return deadline; }  // NOLINT(google-explicit-constructor): it is the point
};

/// Asks something. May block, should end by the deadline, may throw. Must not change what it asks, and return some day.
using CheckFunction = std::function<CheckAnswer(const CheckContext&)>;
/// Begins to ask and returns at once; whoever knows the answer calls `done`, once, on any thread.
using AsyncCheckFunction = std::function<void(const CheckContext&, std::function<void(CheckAnswer)> done)>;

}  // namespace serin::health
