#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "serin/agent/supervisor.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"

namespace serin::agent {

struct MachineOptions {
  std::string logs;                                ///< folder of the replicas' outputs
  std::map<std::string, std::string> environment;  ///< what every replica gets: PATH, SERIN_WAREHOUSE, ...
  std::string fleet_environment;                   ///< SERIN_ENVIRONMENT
  std::string log_level = "info";
  Duration probe_timeout = 2s;
  int probers = 4;  ///< looks at the same time; >= 1
};

/// The variables a replica is started with: the fleet's, its own labels and name, its release's. Pure.
[[nodiscard]] std::map<std::string, std::string> replica_environment(const MachineOptions& options,
                                                                     const ServiceName& service,
                                                                     const ReleaseSpec& release,
                                                                     const std::string& replica, std::uint16_t port);

/// This machine: real processes, and a few threads that look whether replicas are ready. Threads: the supervisor's.
class RealMachine final : public Machine {
 public:
  /// \param http, clock  outlive it
  RealMachine(MachineOptions options, HttpClient& http, const Clock& clock);
  ~RealMachine() override;
  /// Not one that was given out lately: the replica that got it may not listen yet.
  Result<std::uint16_t> free_port() override;
  Result<ProcessId> start(const ServiceName& service, const ReleaseSpec& release, const std::string& replica,
                          std::uint16_t port, const std::string& log) override;
  std::optional<ProcessEnd> end_of(const ProcessId& process) override { return poll_end(process); }
  void signal(const ProcessId& process, int number) override;
  void begin_probe(const std::string& key, const std::string& address, const std::string& path) override;
  std::optional<Probe> last_probe(const std::string& key) override;
  std::string log_of(const ServiceName& service, const std::string& replica) override;
  std::string last_words(const std::string& log) override;

 private:
  struct Look {
    std::string key;
    std::string address;
    std::string path;
  };
  void run(const std::stop_token& stop);

  MachineOptions options_;
  HttpClient& http_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Look> waiting_;             // guarded by mutex_
  std::set<std::string> running_;        // guarded by mutex_; also those that wait
  std::deque<std::uint16_t> given_;      // ports; of the supervisor's thread only
  std::map<std::string, Probe> newest_;  // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace serin::agent
