#include "serin/rollout/sql_columns.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace serin::rollout {

Status ensure_column(SqlSession& session, std::string_view table, std::string_view column, std::string_view type) {
  const std::vector<SqlValue> names{std::string(table), std::string(column)};
  SERIN_TRY(const SqlTable known, session.query("SELECT name FROM pragma_table_info($1) WHERE name = $2", names));
  if (!known.rows.empty()) return {};
  SERIN_CHECK(session.execute(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", table, column, type), {}));
  return {};
}

}  // namespace serin::rollout
