#pragma once
#include <memory>
#include <optional>
#include <string>

#include "serin/agent/agent.hpp"
#include "serin/haproxy/log_receiver.hpp"
#include "serin/haproxy/render.hpp"
#include "serin/haproxy/traffic_counter.hpp"
#include "serin/process/process.hpp"

namespace serin::agent {

/// One supervised HAProxy with the reader of its log: started, adopted, started again when it dies. Ports are chosen
/// once and kept. Threads: the agent's.
class RouterProcess {
 public:
  /// \param counter, store, sleeper  outlive it
  RouterProcess(const config::FleetSpec& fleet, const Places& places, control::ControlStore& store,
                haproxy::TrafficCounter& counter, const Environment& environment, Sleeper& sleeper, Logger logger);
  /// Adopts the one that runs, or starts one. Returns when it answers.
  /// Errors: not_found (no such program), conflict (a port is taken), invalid_argument (HAProxy refused its
  /// configuration).
  Status start();
  /// Starts it again if it has ended.
  void look(Instant now);
  void stop(Sleeper& patient);
  /// A number of its own for each start.
  [[nodiscard]] std::int64_t run() const noexcept {
    return process_ ? process_->started * 100'000 + process_->pid % 100'000 : 0;
  }

 private:
  Status choose_ports();
  Status spawn_it();
  Status wait_until_it_answers();
  Result<haproxy::RouterConfig> config();

  const config::FleetSpec& fleet_;
  const Places& places_;
  control::ControlStore& store_;
  haproxy::TrafficCounter& counter_;
  const Environment& environment_;
  Sleeper& sleeper_;
  Logger logger_;
  std::unique_ptr<haproxy::LogReceiver> receiver_;
  std::optional<ProcessId> process_;
  Instant next_try_ = Instant::min();
};

/// The fact under which a service's port is kept.
[[nodiscard]] std::string port_fact(const ServiceName& service);

}  // namespace serin::agent
