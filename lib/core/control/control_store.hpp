#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/platform.hpp"
#include "serin/ports/router.hpp"
#include "serin/ports/sql.hpp"
#include "serin/ports/traffic.hpp"

namespace serin::control {

/// A release that was ever started, and whether it is to run now.
struct DesiredRelease {
  ServiceName service;
  ReleaseSpec spec;
  bool running = false;
};

/// A replica as the agent sees it, and how to recognise its process.
struct ObservedReplica {
  ServiceName service;
  ReleaseName release;
  int index = 0;
  Replica replica;
  int pid = 0;                       ///< 0: none
  std::int64_t process_started = 0;  ///< in the kernel's ticks; with the pid it names the process for good
  friend bool operator==(const ObservedReplica&, const ObservedReplica&) = default;
};

/// The agent's sign of life.
struct Heartbeat {
  int pid = 0;
  Instant at;
  bool stopping = false;
};

/// A failed request, for people.
struct FailedRequest {
  std::int64_t second = 0;  ///< Instant in whole seconds
  std::string release;      ///< empty: no server was chosen
  int status = 0;
  std::int64_t milliseconds = 0;
  std::string what;  ///< "POST /predict"
};

/// A heartbeat older than this means that nobody looks after the fleet.
constexpr Duration heartbeat_limit = 3s;

/// The control database: what is desired (written by the command line) and what is observed (written by the agent).
/// Both sides look at levels, not at messages, so either may die at any moment and be started again.
/// Errors of every call: unavailable, deadline_exceeded, exhausted (disk full), data_loss. Threads: any. Processes:
/// any.
class ControlStore {
 public:
  /// Makes the tables when they are not there. \param sql, clock  outlive it
  static Result<std::unique_ptr<ControlStore>> open(Sql& sql, const Clock& clock);

  // Desired.
  /// Remembers the release and that it is to run. Errors: conflict, when another content has that name already.
  Status want_running(const ServiceName& service, const ReleaseSpec& release);
  /// Errors: not_found.
  Status want_stopped(const ServiceName& service, const ReleaseName& release);
  Result<std::vector<DesiredRelease>> desired();
  Result<std::optional<DesiredRelease>> find(const ServiceName& service, const ReleaseName& release);
  /// Empty: never set.
  Result<Split> split(const ServiceName& service);
  Status save_split(const ServiceName& service, const Split& split);
  /// Asks the agent to end everything and then itself.
  Status want_down(bool down);
  Result<bool> is_down_wanted();

  // Observed.
  /// Replaces all of them.
  Status save_replicas(const std::vector<ObservedReplica>& replicas);
  Result<std::vector<ObservedReplica>> replicas();
  Status beat(const Heartbeat& heartbeat);
  /// The agent's last word, when it ends in order.
  Status end_beats();
  /// Nothing: there never was an agent, or it ended in order.
  Result<std::optional<Heartbeat>> heartbeat();
  /// Errors: unavailable, "the agent is not running: run `serin up`".
  Status check_alive();
  /// Adds a finished second, and forgets what is older than two hours.
  Status add_second(const std::map<std::string, TrafficSecond>& services, const std::vector<FailedRequest>& failures,
                    const std::vector<std::string>& failed_services);
  Result<TrafficWindow> traffic(const ServiceName& service, std::int64_t after);
  /// Failed requests of seconds in [from, to], the oldest first, at most `most`.
  Result<std::vector<FailedRequest>> failures(const ServiceName& service, std::int64_t from, std::int64_t to, int most);

  // Small facts that outlive processes: ports once chosen, the fleet's file.
  Result<std::optional<std::string>> fact(const std::string& key);
  Status save_fact(const std::string& key, const std::string& value);

 private:
  ControlStore(Sql& sql, const Clock& clock) : sql_(sql), clock_(clock) {}
  [[nodiscard]] Deadline soon() const { return Deadline::after(clock_.now(), 5s); }
  Sql& sql_;
  const Clock& clock_;
};

/// The Platform port by way of the agent. Threads: any.
class StorePlatform final : public Platform {
 public:
  StorePlatform(ControlStore& store, std::vector<ServiceName> services)
      : store_(store), services_(std::move(services)) {}
  Status start(const ServiceName& service, const ReleaseSpec& release, Deadline deadline) override;
  Status stop(const ServiceName& service, const ReleaseName& release, Deadline deadline) override;
  Result<std::vector<Replica>> replicas(const ServiceName& service, const ReleaseName& release,
                                        Deadline deadline) override;

 private:
  ControlStore& store_;
  std::vector<ServiceName> services_;
};

/// The Traffic port by way of the agent. Threads: any.
class StoreTraffic final : public Traffic {
 public:
  explicit StoreTraffic(ControlStore& store) : store_(store) {}
  Result<TrafficWindow> read(const ServiceName& service, std::int64_t after, Deadline deadline) override;

 private:
  ControlStore& store_;
};

}  // namespace serin::control
