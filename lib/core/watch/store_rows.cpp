#include "store_rows.hpp"

#include <fmt/format.h>

namespace serin::watch {
namespace {

/// A finding by its name; nothing for an empty text. Errors: data_loss.
Result<std::optional<Finding>> finding_in(const SqlValue& value) {
  const std::string name = sql_text(value);
  if (name.empty()) return std::nullopt;
  const std::optional<Finding> found = finding_of_name(name);
  if (!found) return fail(Errc::data_loss, fmt::format("'{}' is no finding", name));
  return found;
}

std::string name_or_nothing(const std::optional<Finding>& finding) {
  return finding ? std::string(finding_name(*finding)) : std::string();
}

std::int64_t microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

SqlValue time_value(const std::optional<WallTime>& at) { return at ? SqlValue(unix_ms(*at)) : SqlValue(); }

Result<CheckState> state_of_row(const SqlRow& row) {
  SERIN_TRY(const std::optional<Finding> condition, finding_in(row[2]));
  SERIN_TRY(const std::optional<Finding> last, finding_in(row[10]));
  return CheckState{.name = sql_text(row[0]),
                    .service = sql_text(row[1]),
                    .counts = {.condition = condition,
                               .failing = static_cast<int>(sql_number(row[3])),
                               .unknown = static_cast<int>(sql_number(row[4])),
                               .ok = static_cast<int>(sql_number(row[5])),
                               .last = sql_text(row[6])},
                    .since = sql_time(row[7]),
                    .bad_since = sql_time(row[8]),
                    .next_due = sql_time(row[9]),
                    .last = last,
                    .last_at = sql_time(row[11]),
                    .last_said = sql_text(row[12]),
                    .last_took = std::chrono::microseconds(sql_number(row[13])),
                    .incident = sql_number(row[14]),
                    .schedule = sql_text(row[15]),
                    .late_after = std::chrono::milliseconds(sql_number(row[16]))};
}

SqlRow row_of_state(const CheckState& state) {
  return {state.name,
          state.service,
          name_or_nothing(state.counts.condition),
          std::int64_t{state.counts.failing},
          std::int64_t{state.counts.unknown},
          std::int64_t{state.counts.ok},
          state.counts.last,
          time_value(state.since),
          time_value(state.bad_since),
          time_value(state.next_due),
          name_or_nothing(state.last),
          time_value(state.last_at),
          state.last_said,
          microseconds(state.last_took),
          state.incident,
          state.schedule,
          std::chrono::duration_cast<std::chrono::milliseconds>(state.late_after).count()};
}

Result<RunResult> result_of_row(const SqlRow& row) {
  SERIN_TRY(const std::optional<Finding> finding, finding_in(row[2]));
  return RunResult{.check = sql_text(row[0]),
                   .at = wall_of_unix_ms(sql_number(row[1])),
                   .finding = finding.value_or(Finding::unknown),
                   .took = std::chrono::microseconds(sql_number(row[3])),
                   .missed = sql_number(row[4]) != 0,
                   .said = sql_text(row[5])};
}

}  // namespace serin::watch
