#pragma once
#include <map>
#include <memory>
#include <string>

#include "serin/config/fleet_spec.hpp"
#include "serin/delivery/push.hpp"
#include "serin/google_data/data_services.hpp"
#include "serin/guard/guarded_http.hpp"
#include "serin/guard/guarded_ports.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"

namespace serin::agent {

/// The bus of the fleet with its topics and subscriptions, and the deliveries to services. Threads: the agent's.
class Pushes {
 public:
  /// \param urls  of the services, through the router: a push is a request like any other
  static Result<std::unique_ptr<Pushes>> start(const config::FleetSpec& fleet, std::map<std::string, std::string> urls,
                                               HttpClient& http, Sleeper& sleeper, Random& random,
                                               const Logger& logger);
  /// Of the bus and of every service that was pushed to.
  [[nodiscard]] std::vector<guard::NamedState> states() const;

 private:
  Pushes() = default;
  std::unique_ptr<google::DataServices> google_;  // of a bus at Google's; otherwise the bus is in sql_
  std::unique_ptr<Sql> sql_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<guard::Target> bus_target_;
  std::unique_ptr<guard::GuardedBus> guarded_bus_;
  std::unique_ptr<guard::GuardedHttp> http_;
  std::unique_ptr<delivery::PushDispatcher> dispatcher_;
};

}  // namespace serin::agent
