#pragma once
#include "serin/ports/sql_cell.hpp"
#include "serin/watch/store.hpp"

// Rows of the watcher's tables. Private to the module.
namespace serin::watch {

[[nodiscard]] SqlValue time_value(const std::optional<WallTime>& at);

/// In the order of state_columns. Errors: data_loss.
[[nodiscard]] Result<CheckState> state_of_row(const SqlRow& row);
[[nodiscard]] SqlRow row_of_state(const CheckState& state);
constexpr std::string_view state_columns =
    "name, service, condition, failing, unknown, ok, last_findings, since, bad_since, next_due, last, last_at, "
    "last_said, last_took_us, incident, schedule, late_after_ms";

constexpr std::string_view result_columns = "check_name, at, finding, took_us, missed, said";
[[nodiscard]] Result<RunResult> result_of_row(const SqlRow& row);

}  // namespace serin::watch
