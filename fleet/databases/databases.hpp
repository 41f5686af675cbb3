#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/google_data/data_services.hpp"
#include "serin/pool/stats.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/documents.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

struct OpenedWarehouse {
  std::unique_ptr<Sql> sql;
  std::function<std::vector<pool::NamedStats>()> pools;  ///< of its connections; lives as long as `sql`
};

/// A bus or documents, and the database under them where they have one of their own.
template <class Port>
struct Opened {
  std::unique_ptr<Sql> under;
  std::unique_ptr<Port> port;
};

/// Opens what a fleet's file names, on this machine or on Google Cloud. Threads: any.
class Databases {
 public:
  /// \param world  outlives it and all that it opened  \param environment  endpoints and credentials of Google's
  /// \param reuse       false: no connection to a database serves two calls, for comparison
  Databases(const google::AuthWorld& world, Environment environment, bool reuse = true)
      : world_(world), google_(world, std::move(environment)), reuse_(reuse) {}
  /// "sqlite:PATH", "postgres://user@host/database" or "bigquery://project/dataset".
  /// Errors: invalid_argument (another scheme), and the database's own.
  Result<OpenedWarehouse> warehouse(const std::string& url);
  /// "sqlite:PATH" or "pubsub://project".
  Result<Opened<Bus>> bus(const std::string& url);
  /// "sqlite:PATH" or "firestore://project".
  Result<Opened<Documents>> documents(const std::string& url);

 private:
  google::AuthWorld world_;
  google::DataServices google_;
  bool reuse_;
};

}  // namespace serin::fleet
