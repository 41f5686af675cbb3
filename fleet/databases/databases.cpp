#include "serin/fleet_databases/databases.hpp"

#include <fmt/format.h>

#include <optional>

#include "serin/ports/sql_address.hpp"
#include "serin/postgres/postgres_sql.hpp"
#include "serin/sqlite/sqlite_bus.hpp"
#include "serin/sqlite/sqlite_documents.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::fleet {
namespace {

template <class Engine>
OpenedWarehouse warehouse_of(std::unique_ptr<Engine> engine) {
  Engine* const kept = engine.get();
  return {.sql = std::move(engine), .pools = [kept] { return kept->pools(); }};
}

/// The path of "sqlite:PATH".
std::optional<std::string> sqlite_path(const std::string& url) {
  constexpr std::string_view scheme = "sqlite:";
  if (!url.starts_with(scheme)) return std::nullopt;
  return url.substr(scheme.size());
}

}  // namespace

Result<OpenedWarehouse> Databases::warehouse(const std::string& url) {
  if (const auto path = sqlite_path(url)) {
    SERIN_TRY(auto sql,
              SqliteSql::open({.path = *path, .read_connections = 8, .reuse = reuse_}, world_.sleeper, world_.log));
    return warehouse_of(std::move(sql));
  }
  if (is_postgres_address(url)) {
    SERIN_TRY(auto sql, PostgresSql::open({.url = url, .reuse = reuse_}, world_.sleeper, world_.log));
    return warehouse_of(std::move(sql));
  }
  if (google::is_data_address(url)) {
    SERIN_TRY(auto sql, google_.open_sql(url));
    return OpenedWarehouse{.sql = std::move(sql), .pools = [] { return std::vector<pool::NamedStats>(); }};
  }
  return fail(Errc::invalid_argument, fmt::format("a warehouse is sqlite:PATH, postgres://user@host/database or "
                                                  "bigquery://project/dataset, not '{}'",
                                                  url));
}

Result<Opened<Bus>> Databases::bus(const std::string& url) {
  Opened<Bus> opened;
  if (const auto path = sqlite_path(url)) {
    SERIN_TRY(opened.under, SqliteSql::open({.path = *path, .reuse = reuse_}, world_.sleeper, world_.log));
    SERIN_TRY(opened.port, SqliteBus::open(*opened.under, world_.sleeper, world_.random));
    return opened;
  }
  if (!google::is_data_address(url))
    return fail(Errc::invalid_argument, fmt::format("a bus is sqlite:PATH or pubsub://project, not '{}'", url));
  SERIN_TRY(opened.port, google_.open_bus(url));
  return opened;
}

Result<Opened<Documents>> Databases::documents(const std::string& url) {
  Opened<Documents> opened;
  if (const auto path = sqlite_path(url)) {
    SERIN_TRY(opened.under, SqliteSql::open({.path = *path, .reuse = reuse_}, world_.sleeper, world_.log));
    SERIN_TRY(opened.port, SqliteDocuments::open(*opened.under, world_.sleeper));
    return opened;
  }
  if (!google::is_data_address(url))
    return fail(Errc::invalid_argument,
                fmt::format("documents are in sqlite:PATH or firestore://project, not '{}'", url));
  SERIN_TRY(opened.port, google_.open_documents(url));
  return opened;
}

}  // namespace serin::fleet
