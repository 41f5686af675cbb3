#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/time.hpp"
#include "serin/ports/check.hpp"

// What is known of a process's health, for those who tell it to somebody: HTTP endpoints and their dialects, gRPC,
// metrics. `core/health` finds it out.
namespace serin::health {

/// Who a process is, as told by /health and compared by a rollout before any user reaches it.
struct Identity {
  std::string service;
  std::string version;      ///< of the program: "1.2.0"
  std::string revision;     ///< name of the release
  std::string commit;       ///< of its source
  std::string environment;  ///< "local", "staging", "production"
};

/// Which questions a check is part of the answer to. Flags; joined with `|`.
enum class Kind : std::uint8_t {
  none = 0,
  liveness = 1,   ///< is the process itself broken, so that only a restart helps? never a dependency
  readiness = 2,  ///< may requests come?
  startup = 4,    ///< has it started? latched: once yes, always yes
  deep = 8,       ///< everything worth knowing
};
[[nodiscard]] constexpr Kind operator|(Kind a, Kind b) noexcept {
  return static_cast<Kind>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
[[nodiscard]] constexpr bool has(Kind kinds, Kind one) noexcept {
  return (static_cast<unsigned>(kinds) & static_cast<unsigned>(one)) != 0;
}

/// What one check counts as now: thresholds, timeouts and staleness are already applied.
struct CheckReport {
  std::string name;
  bool critical = true;
  Kind kinds = Kind::readiness | Kind::deep;
  std::vector<std::string> groups = {};
  std::string component_type = {};          ///< "datastore", "system", ...: for dialects that carry one
  Duration duration = {};                   ///< of its last run, or of the one that is running
  std::optional<WallTime> checked_at = {};  ///< when its last run ended
  Duration age = {};                        ///< since then
  CheckAnswer answer = {};
};

/// Some checks, and what they say together. Plain data: every dialect is written from it.
struct HealthReport {
  HealthStatus status = HealthStatus::unknown;
  Kind kind = Kind::deep;                          ///< the question that is answered
  bool draining = false;                           ///< the process is ending: nothing is ready any more
  std::vector<CheckReport> checks = {};            ///< in the order in which they were added
  std::vector<CheckReport> excluded = {};          ///< that the caller did not want to count
  std::vector<std::string> unknown_excludes = {};  ///< names in Selection::exclude that mean nothing here
  Duration total = {};                             ///< the longest check
};

/// Which checks are asked for.
struct Selection {
  Kind kind = Kind::deep;
  std::string group = {};                 ///< only this group; empty: all
  std::string check = {};                 ///< only this one; empty: all
  std::vector<std::string> exclude = {};  ///< checks and groups that do not count
};

/// Whoever knows the health of this process. Threads: any.
class HealthSource {
 public:
  virtual ~HealthSource() = default;
  /// What is known now, from memory: runs nothing and waits for nobody. Nothing: there is no such group or check.
  [[nodiscard]] virtual std::optional<HealthReport> report(const Selection& selection) const = 0;
  /// The same, after the checks among them that run on demand were asked, as far as their answers are too old. Calls
  /// `done` once: at once on this thread when nothing has to be asked, otherwise on any thread, and at `deadline` at
  /// the latest, with what is known by then. Nobody is asked twice at the same time, however many wait.
  virtual void ask(const Selection& selection, Deadline deadline,
                   std::function<void(std::optional<HealthReport>)> done) = 0;
  /// Changes whenever report() could say something else for a reason other than time passing: a cheap test whether an
  /// answer that was written before is still right.
  [[nodiscard]] virtual std::uint64_t version() const noexcept = 0;
  /// The groups there are.
  [[nodiscard]] virtual std::vector<std::string> groups() const = 0;
  /// Calls `listener` after every change of a status, outside of any lock and never at the same time twice. A slow
  /// listener delays other listeners and nobody else.
  virtual void on_change(std::function<void()> listener) = 0;
};

}  // namespace serin::health
