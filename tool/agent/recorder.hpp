#pragma once
#include <functional>
#include <thread>

#include "serin/control/control_store.hpp"
#include "serin/haproxy/runtime_socket.hpp"
#include "serin/haproxy/traffic_counter.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"

namespace serin::agent {

/// Writes a second of traffic into the store, each second, on a thread of its own. A second in which HAProxy could not
/// be asked is not written: it is unknown, and its requests count for the next one that is known. Threads: any.
class Recorder {
 public:
  /// \param run  number of HAProxy's present run  \param counter, store, sleeper  outlive it
  Recorder(haproxy::RuntimeSocket socket, haproxy::TrafficCounter& counter, control::ControlStore& store,
           Sleeper& sleeper, std::function<std::int64_t()> run, Logger logger);

 private:
  void work(const std::stop_token& stop);
  Status record(std::int64_t second);

  haproxy::RuntimeSocket socket_;
  haproxy::TrafficCounter& counter_;
  control::ControlStore& store_;
  Sleeper& sleeper_;
  std::function<std::int64_t()> run_;
  Logger logger_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace serin::agent
