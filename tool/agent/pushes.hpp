#pragma once
#include <map>
#include <memory>
#include <string>

#include "serin/config/fleet_spec.hpp"
#include "serin/delivery/push.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"
#include "serin/sqlite/sqlite_bus.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::agent {

/// The bus of the fleet with its topics and subscriptions, and the deliveries to services. Threads: the agent's.
class Pushes {
 public:
  /// \param urls  of the services, through the router: a push is a request like any other
  static Result<std::unique_ptr<Pushes>> start(const config::FleetSpec& fleet, std::map<std::string, std::string> urls,
                                               HttpClient& http, Sleeper& sleeper, const Logger& logger);

 private:
  Pushes() = default;
  std::unique_ptr<Random> random_;
  std::unique_ptr<SqliteSql> sql_;
  std::unique_ptr<SqliteBus> bus_;
  std::unique_ptr<delivery::PushDispatcher> dispatcher_;
};

}  // namespace serin::agent
