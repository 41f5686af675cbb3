#pragma once
#include <optional>
#include <string>
#include <vector>

#include "serin/control/control_store.hpp"
#include "verb.hpp"

namespace serin::tool {

struct ReleaseStatus {
  std::string name;
  std::string url;            ///< its own address, whatever its weight; empty: no replica has one
  double weight = 0;          ///< percent that the router is set to, read from the router
  double share = 0;           ///< percent of the requests of the last minute; without requests the weight
  std::int64_t requests = 0;  ///< of the last minute
  std::int64_t errors = 0;
  std::string state;  ///< the worst of its replicas; "stopped" without any; "unknown" when nobody looks
  std::string digest;
  std::string version;
  int replicas_wanted = 0;
  std::vector<control::ObservedReplica> replicas;
};
/// A rollout that is not over.
struct RolloutStatus {
  std::int64_t id = 0;
  std::string release;
  std::string state;
  double percent = 0;  ///< of its stage
  std::string reason;  ///< why it is in that state; empty while it goes its way
  std::string paused;  ///< by whom and why; empty: it is not
  std::string awaits;  ///< which approval; empty: none
};
struct ServiceStatus {
  std::string name;
  std::string url;
  std::string split_error;  ///< why the router could not be read; empty: it could
  std::vector<ReleaseStatus> releases;
  std::optional<RolloutStatus> rollout;
};
struct FleetStatus {
  std::string fleet;
  std::string file;
  int agent_pid = 0;
  std::string agent_error;  ///< why nobody looks after the fleet; empty: somebody does
  std::vector<ServiceStatus> services;

  /// Every wanted replica is ready and the router answers.
  [[nodiscard]] bool is_ready() const noexcept;
  /// What keeps it from being ready, a line each.
  [[nodiscard]] std::string troubles() const;
};

/// How the fleet is, from its database and from the router itself. Errors: the database's.
Result<FleetStatus> read_status(Session& session, const Clock& clock);
[[nodiscard]] std::string to_json(const FleetStatus& status);
[[nodiscard]] std::string to_text(const FleetStatus& status);

}  // namespace serin::tool
