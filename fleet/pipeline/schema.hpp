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
/// Whether every table still has the columns that the newest step gave it: a statement that cannot be right any more is
/// found by asking, not by the first user. Reads no row. Errors: the database's, with the table's name.
Status check_columns(Sql& sql, Deadline deadline);

}  // namespace serin::fleet
