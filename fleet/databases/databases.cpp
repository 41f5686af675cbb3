#include "serin/fleet_databases/databases.hpp"

#include <fmt/format.h>

#include "serin/postgres/postgres_sql.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::fleet {

namespace {

template <class Engine>
OpenedWarehouse warehouse_of(std::unique_ptr<Engine> engine) {
  Engine* const kept = engine.get();
  return {.sql = std::move(engine), .pools = [kept] { return kept->pools(); }};
}

}  // namespace

Result<OpenedWarehouse> open_warehouse(const std::string& url, Clock& clock) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.starts_with(sqlite)) {
    SERIN_TRY(auto sql, SqliteSql::open({.path = url.substr(sqlite.size()), .read_connections = 8}, clock));
    return warehouse_of(std::move(sql));
  }
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) {
    SERIN_TRY(auto sql, PostgresSql::open({.url = url}, clock));
    return warehouse_of(std::move(sql));
  }
  return fail(Errc::invalid_argument,
              fmt::format("a warehouse is sqlite:PATH or postgres://user@host/database, not '{}'", url));
}

}  // namespace serin::fleet
