#pragma once
#include <functional>

#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/platform.hpp"
#include "serin/ports/router.hpp"
#include "serin/ports/traffic.hpp"
#include "serin/rollout/gate.hpp"
#include "serin/rollout/journal.hpp"
#include "serin/rollout/observer.hpp"
#include "serin/rollout/orders.hpp"
#include "serin/rollout/plan.hpp"
#include "serin/rollout/report.hpp"

namespace serin::rollout {

/// Says whether this process may still act on the service (the lease). Asked once a tick and before every action.
class Guard {
 public:
  virtual ~Guard() = default;
  /// Errors: conflict, naming who may now; anything else: not known at the moment.
  virtual Status check() = 0;
};

/// What an engine acts on. All of it outlives the engine.
struct Ports {
  Router& router;
  Platform& platform;
  Traffic& traffic;
  HttpClient& http;
  Sleeper& sleeper;  ///< answers cancelled after Ctrl-C: then the split is restored
  Sleeper& patient;  ///< the same time, but never cancelled: what restoring waits with
  Journal& journal;
  Guard& guard;
  RolloutObserver& observer;
  Gate* gate = nullptr;      ///< without it a plan that asks the data is never told that it may go on
  Gate* smoke = nullptr;     ///< the same for smoke tests
  Orders* orders = nullptr;  ///< without it nobody can tell a running rollout anything
};

struct Request {
  ServiceName service;
  ReleaseSpec release;
  Plan plan;
  bool force = false;  ///< release it although the same thing failed before
};

/// Brings releases to 100 %, or exactly back. Every action is journalled before it is taken and verified by reading
/// back after it; killed anywhere, resume() ends it. Threads: one.
///
/// The outcome of all three is Report::outcome: promoted, rolled_back, failed_to_start, held or rollback_incomplete.
/// Errors: the rollout could not begin, and nothing was moved: unavailable, conflict (another rollout is not ended, or
/// the split is not one release with everything), rejected (failed before, needs force), whatever a port answered. Or:
/// conflict, when the guard says that somebody else acts on the service now; then nothing more was done.
class Engine {
 public:
  explicit Engine(Ports ports) : ports_(ports) {}
  Result<Report> run(const Request& request);
  /// Ends what was interrupted or held. Errors: not_found, when nothing is open.
  Result<Report> resume(const ServiceName& service);
  /// Puts back the split before the service's last rollout, promoted or not, after the releases in it run again.
  /// \param spec_of  how to run a release of that split, if it has to be started
  /// \param force    also when somebody changed the split since
  /// Errors: not_found (never a rollout), conflict (it is restored already; or the split is a foreign one).
  Result<Report> rollback(const ServiceName& service,
                          const std::function<Result<ReleaseSpec>(const ReleaseName&)>& spec_of, bool force);

 private:
  Ports ports_;
};

}  // namespace serin::rollout
