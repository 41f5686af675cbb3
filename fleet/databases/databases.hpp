#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/pool/stats.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

struct OpenedWarehouse {
  std::unique_ptr<Sql> sql;
  std::function<std::vector<pool::NamedStats>()> pools;  ///< of its connections; lives as long as `sql`
};

/// The warehouse that a fleet's file names: "sqlite:PATH" or "postgres://user@host/database". \param clock  outlives it
/// Errors: invalid_argument (another scheme), and the database's own.
Result<OpenedWarehouse> open_warehouse(const std::string& url, Clock& clock);

}  // namespace serin::fleet
