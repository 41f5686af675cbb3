#include "databases.hpp"

#include <fmt/format.h>

#include "serin/postgres/postgres_sql.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::tool {

Result<checks::Engine> engine_of(std::string_view url) {
  const std::string_view scheme = scheme_of(url);
  if (url.starts_with("sqlite:")) return checks::Engine::sqlite;
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) return checks::Engine::postgres;
  constexpr std::string_view kinds = "sqlite:PATH or postgres://user@host/database";
  if (scheme == "bigquery")
    return fail(Errc::invalid_argument,
                fmt::format("--db bigquery:...: this program has no client for BigQuery; it checks {}", kinds));
  return fail(Errc::invalid_argument, fmt::format("--db {}...: a database is {}", scheme, kinds));
}

Result<std::unique_ptr<Sql>> open_database(const std::string& url, checks::Engine engine, Clock& clock) {
  if (engine == checks::Engine::postgres) {
    SERIN_TRY(std::unique_ptr<Sql> sql, PostgresSql::open({.url = url, .connections = 16, .read_only = true}, clock));
    return sql;
  }
  SERIN_TRY(std::unique_ptr<Sql> sql, SqliteSql::open({.path = url.substr(url.find(':') + 1),
                                                       .read_connections = 4,
                                                       .create = false,
                                                       .sort_on_disk = true,
                                                       .read_only = true},
                                                      clock));
  return sql;
}

}  // namespace serin::tool
