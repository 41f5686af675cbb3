#pragma once
#include <memory>
#include <string>
#include <vector>

#include "real_context.hpp"
#include "serin/control/control_store.hpp"

namespace serin::tool {

/// What the rollouts of a service act on, and what is special about it. One class a technology; make_target() chooses.
/// Threads: main's.
class Target {
 public:
  virtual ~Target() = default;
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  [[nodiscard]] virtual Router& router() = 0;
  [[nodiscard]] virtual Platform& platform() = 0;
  [[nodiscard]] virtual Traffic& traffic() = 0;
  /// Asks a replica at its own address, as "http://" + Replica::address.
  [[nodiscard]] virtual HttpClient& probes() = 0;

  /// Somebody is there who does what is asked of it. Errors: unavailable, with the way out.
  virtual Status check_alive() = 0;
  /// The release with the digest of what it runs. Errors: it cannot be run here, and why.
  virtual Result<ReleaseSpec> complete(ReleaseSpec release) = 0;
  /// How to run again what had traffic once. Errors: not_found.
  virtual Result<ReleaseSpec> spec_of(const ReleaseName& release) = 0;
  /// Users' requests that failed between two seconds, as far as they are known one by one here.
  virtual std::vector<control::FailedRequest> failures(std::int64_t from_second, std::int64_t to_second);
};

/// The target of a service. \param session  outlives it  \param service  the same
/// Errors: those of its technology (no credentials, say).
Result<std::unique_ptr<Target>> make_target(RealContext& context, Session& session, const config::ServiceSpec& service);

/// The fleet's session for work on this service: what runs on this machine needs a fleet that was up, for what runs
/// elsewhere the control database is made when it is not there. Errors: as session(); not_found, with a suggestion.
Result<Session*> session_for(RealContext& context, const std::string& service);

}  // namespace serin::tool
