#pragma once
#include <memory>
#include <string>

#include "serin/agent/supervisor.hpp"
#include "serin/config/fleet_spec.hpp"
#include "serin/control/control_store.hpp"
#include "serin/guard/states.hpp"
#include "serin/guard/target.hpp"
#include "serin/haproxy/router.hpp"
#include "serin/ports/log.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/environment.hpp"

namespace serin::agent {

/// Where the agent keeps what in the fleet's state folder.
struct Places {
  explicit Places(std::string folder);
  std::string state;         ///< the folder
  std::string database;      ///< state.db
  std::string logs;          ///< logs/<service>/<replica>.log
  std::string lock;          ///< held by the agent that lives
  std::string output;        ///< the agent's own log
  std::string router;        ///< haproxy.cfg and its output
  std::string weights_lock;  ///< held while weights are set
  std::string reserve;       ///< some space that is given up when the disk is full and traffic has to be put back
  std::string targets;       ///< monitoring/targets.json: what Prometheus scrapes
  std::string socket;        ///< HAProxy's runtime socket; in a short folder when `state` is too long for one
};

/// The router of the fleet, for any process that has its database.
[[nodiscard]] HaproxyRouter make_router(const Places& places, control::ControlStore& store, const Clock& clock);

/// What calls to the router's socket go through. Its breaker counts and never refuses: putting traffic back must not be
/// stopped by a limit of ours. \param sleeper, random  outlive it
Result<std::unique_ptr<guard::Target>> router_target(Sleeper& sleeper, Random& random);

/// The fact in the control database under which the agent keeps the states of what it calls, as guard::to_json().
constexpr const char* resilience_fact = "agent resilience";

/// The address at which users reach the service: as configured, with the port that was once chosen for it.
/// Errors: not_found, before the first start.
Result<std::string> service_address(control::ControlStore& store, const config::ServiceSpec& service);

/// Looks after the fleet until it is told to end: replicas, router, counts, push deliveries. On a stop signal, or when
/// the store says "down", it ends everything in order. Killed, it takes nothing with it: the next one adopts what
/// lives. Errors: conflict (another agent lives; a port is taken), not_found (no HAProxy), exhausted, unavailable.
Status run_agent(const config::FleetSpec& fleet, const Places& places, const Environment& environment, StopSignal& stop,
                 Logger logger);

/// Ends everything that a dead agent left behind. Errors: deadline_exceeded, when something does not die.
Status end_what_is_left(control::ControlStore& store, Sleeper& sleeper);

}  // namespace serin::agent
