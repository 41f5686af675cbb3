#pragma once
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"
#include "serin/warehouse/migrate.hpp"

namespace serin::fleet {

/// All tables of the fleet, oldest step first. Times are milliseconds since 1970, dates "2026-01-21", flags 0 or 1.
[[nodiscard]] const std::vector<warehouse::Migration>& schema_steps();
/// Brings a warehouse to the newest step; every service does so at its start. Errors: as warehouse::migrate.
Status prepare_warehouse(Sql& sql, const Clock& clock, Deadline deadline);

}  // namespace serin::fleet
