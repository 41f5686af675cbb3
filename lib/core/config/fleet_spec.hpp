#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/config/target_spec.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/platform.hpp"
#include "serin/rollout/plan.hpp"

namespace serin::config {

struct ServiceSpec {
  ServiceName name;
  std::string listen = "127.0.0.1:0";  ///< where users reach it, through the router; port 0: the kernel chooses, once
  ReleaseSpec release;                 ///< what `serin up` starts with 100 % when the service has never run
  std::vector<ReleaseSpec> releases;   ///< further ones that `serin deploy --release NAME` knows
  rollout::PlanOptions plan;           ///< the fleet's plan with this service's changes
  TargetSpec target = {};              ///< the fleet's, unless the service has one of its own
};

/// A fleet.yaml that has been read and checked. All paths are absolute.
struct FleetSpec {
  std::string name;
  std::string file;                        ///< where it was read from
  std::string environment = "local";       ///< told by every health endpoint
  std::string state;                       ///< folder of the control database, logs and sockets
  std::string warehouse;                   ///< "sqlite:/path/warehouse.db"
  std::string bus;                         ///< "sqlite:/path/bus.db"
  std::string documents;                   ///< "sqlite:/path/documents.db"
  std::string resilience;                  ///< file of the services' policies; empty: the usual ones
  std::string router_program = "haproxy";  ///< name or path
  std::vector<ServiceSpec> services;
  std::vector<std::string> topics;
  std::vector<SubscriptionOptions> subscriptions;

  [[nodiscard]] const ServiceSpec* find(std::string_view service) const noexcept;
  /// The same fleet with those of its services that run on this machine.
  [[nodiscard]] FleetSpec local() const;
};

/// What the text may refer to as ${name}.
struct Substitutions {
  std::string bin;   ///< ${bin}: folder of the serin program
  std::string here;  ///< ${here}: folder of the file
};

/// Errors: invalid_argument with "file:line:column: sentence", and a suggestion where a word is near a known one.
Result<FleetSpec> parse_fleet(std::string_view text, std::string_view file, const Substitutions& substitutions);
/// One release in a file of its own; what it leaves out comes from `base` (the service's own release).
Result<ReleaseSpec> parse_release(std::string_view text, std::string_view file, const ReleaseSpec& base,
                                  const Substitutions& substitutions, const TargetSpec& target = {});

/// The digest of a release: its program's bytes (as `program_digest`; empty for an image, which is named by its own)
/// and everything that changes what runs.
[[nodiscard]] std::string release_digest(const ReleaseSpec& release, std::string_view program_digest);

}  // namespace serin::config
