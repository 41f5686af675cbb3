#include "serin/fleet_databases/databases.hpp"

#include <fmt/format.h>

#include "serin/postgres/postgres_sql.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::fleet {

Result<std::unique_ptr<Sql>> open_warehouse(const std::string& url, Clock& clock) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.starts_with(sqlite)) {
    SERIN_TRY(std::unique_ptr<Sql> sql,
              SqliteSql::open({.path = url.substr(sqlite.size()), .read_connections = 8}, clock));
    return sql;
  }
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) {
    SERIN_TRY(std::unique_ptr<Sql> sql, PostgresSql::open({.url = url}, clock));
    return sql;
  }
  return fail(Errc::invalid_argument,
              fmt::format("a warehouse is sqlite:PATH or postgres://user@host/database, not '{}'", url));
}

}  // namespace serin::fleet
