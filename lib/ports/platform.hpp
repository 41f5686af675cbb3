#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/base/time.hpp"

namespace serin {

/// Everything needed to run one version of a service. Two releases with the same content have the same digest.
struct ReleaseSpec {
  ReleaseName name;
  std::vector<std::string> command;                ///< program and arguments; the program's path is absolute
  std::map<std::string, std::string> environment;  ///< added to PORT and to what the fleet gives every service
  std::string directory;                           ///< working folder; absolute
  std::map<std::string, std::string> labels;       ///< e.g. version, commit
  int replicas = 1;                                ///< >= 1
  std::string ready_path = "/ready";               ///< 200 means that requests may come
  Duration ready_timeout = 30s;                    ///< to the first 200, of every replica
  std::string digest;                              ///< of what runs and how: everything but name, replicas and tag

  // Where containers run. A platform of programs has none of it.
  std::string image = {};  ///< with tag or digest; `command` is then its arguments
  std::map<std::string, std::string> secrets =
      {};  ///< environment variable -> "SECRET" or "SECRET:VERSION": names only
  std::map<std::string, std::string> resources = {};  ///< limits: "cpu" -> "1", "memory" -> "512Mi"
  std::optional<int> min_instances = {};              ///< >= 0; nothing: as it is
  std::optional<int> max_instances = {};              ///< >= 1; nothing: as it is
  std::string tag =
      {};  ///< what its own address is to be called, where addresses have names; empty: the platform's choice
};

enum class ReplicaState : std::uint8_t {
  starting,       ///< process is there, not ready yet
  ready,          ///< in rotation, as far as its weight lets it
  not_ready,      ///< was ready, is not now; out of rotation
  stopped,        ///< ended because it was told to
  exited,         ///< ended by itself; a new attempt is coming
  crash_looping,  ///< ended by itself too often; given up until somebody acts
};
[[nodiscard]] constexpr std::string_view replica_state_name(ReplicaState state) noexcept {
  switch (state) {
    case ReplicaState::starting: return "starting";
    case ReplicaState::ready: return "ready";
    case ReplicaState::not_ready: return "not_ready";
    case ReplicaState::stopped: return "stopped";
    case ReplicaState::exited: return "exited";
    case ReplicaState::crash_looping: return "crash_looping";
  }
  return "exited";
}

struct Replica {
  std::string name;     ///< "<release>-<index>"
  std::string address;  ///< "127.0.0.1:41234"; the release's own address, whatever its weight
  ReplicaState state = ReplicaState::starting;
  std::int64_t restarts = 0;  ///< times it ended by itself since it was first started
  std::string reason;         ///< why it is in this state: "exit code 3: MODEL_PATH is not set"
  std::string log;            ///< path of its output
  friend bool operator==(const Replica&, const Replica&) = default;
};

/// What runs. Threads: any; processes: any.
class Platform {
 public:
  virtual ~Platform() = default;
  /// Starts a release's replicas beside what runs, without traffic. Returns when that is accepted, not when it is
  /// ready. The same release again is fine. Errors: not_found (service), conflict (other content under that name),
  /// unavailable (nobody there to do it), invalid_argument.
  virtual Status start(const ServiceName& service, const ReleaseSpec& release, Deadline deadline) = 0;
  /// Takes it out of rotation, lets requests in flight finish, ends the processes. Errors: not_found.
  virtual Status stop(const ServiceName& service, const ReleaseName& release, Deadline deadline) = 0;
  /// Errors: not_found (service or release), unavailable.
  virtual Result<std::vector<Replica>> replicas(const ServiceName& service, const ReleaseName& release,
                                                Deadline deadline) = 0;
};

}  // namespace serin
