#include "store.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

namespace serin::google_emulator {

Result<std::unique_ptr<Store>> Store::open(const std::string& path) {
  SERIN_TRY(std::unique_ptr<Connection> connection, Connection::open(path));
  for (const std::string_view table : {
           "CREATE TABLE IF NOT EXISTS resources(kind TEXT, name TEXT, json TEXT, PRIMARY KEY(kind, name)) WITHOUT "
           "ROWID",
           "CREATE TABLE IF NOT EXISTS counters(name TEXT PRIMARY KEY, value INTEGER)",
           "CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY, topic TEXT, data TEXT, attributes TEXT, "
           "ordering TEXT, published INTEGER)",
           "CREATE TABLE IF NOT EXISTS deliveries(subscription TEXT, message INTEGER, attempts INTEGER, due INTEGER, "
           "ack TEXT, PRIMARY KEY(subscription, message)) WITHOUT ROWID",
           "CREATE INDEX IF NOT EXISTS deliveries_by_ack ON deliveries(ack)",
           "CREATE TABLE IF NOT EXISTS documents(name TEXT PRIMARY KEY, parent TEXT, json TEXT, created INTEGER, "
           "updated INTEGER) WITHOUT ROWID",
           "CREATE INDEX IF NOT EXISTS documents_by_parent ON documents(parent)",
           "CREATE TABLE IF NOT EXISTS points(series TEXT, at INTEGER, json TEXT, PRIMARY KEY(series, at)) WITHOUT "
           "ROWID",
           "CREATE TABLE IF NOT EXISTS entries(id INTEGER PRIMARY KEY, log TEXT, at INTEGER, json TEXT)",
       })
    SERIN_CHECK(connection->run(table));
  return std::unique_ptr<Store>(new Store(std::move(connection)));
}

Reply Store::run(const std::function<Reply()>& work) {
  const std::lock_guard lock(mutex_);
  failed_.reset();
  if (const auto begun = connection_->run("BEGIN IMMEDIATE"); !begun) return refuse(begun.error());
  Reply reply = work();
  if (failed_) reply = refuse(*failed_);
  const auto ended = connection_->run(reply ? "COMMIT" : "ROLLBACK");
  if (!ended && reply) {
    static_cast<void>(connection_->run("ROLLBACK"));
    return refuse(ended.error());
  }
  return reply;
}

void Store::check(const Result<std::int64_t>& result) {
  if (!result && !failed_) failed_ = result.error();
}

std::vector<Row> Store::query(std::string_view sql, std::initializer_list<SqlValue> parameters) {
  std::vector<Row> out;
  check(connection_->run(sql, parameters, [&out](Row row) { out.push_back(std::move(row)); }));
  return out;
}

std::int64_t Store::execute(std::string_view sql, std::initializer_list<SqlValue> parameters) {
  const auto changed = connection_->run(sql, parameters);
  check(changed);
  return changed.value_or(0);
}

std::optional<json::object> Store::get(std::string_view kind, std::string_view name) {
  const std::vector<Row> rows =
      query("SELECT json FROM resources WHERE kind = ?1 AND name = ?2", {std::string(kind), std::string(name)});
  if (rows.empty()) return std::nullopt;
  json::value value = parsed(text_of(rows[0][0].value));
  if (!value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

void Store::put(std::string_view kind, std::string_view name, const json::object& resource) {
  execute("INSERT INTO resources VALUES(?1, ?2, ?3) ON CONFLICT(kind, name) DO UPDATE SET json = excluded.json",
          {std::string(kind), std::string(name), json::serialize(resource)});
}

bool Store::erase(std::string_view kind, std::string_view name) {
  return execute("DELETE FROM resources WHERE kind = ?1 AND name = ?2", {std::string(kind), std::string(name)}) > 0;
}

std::vector<json::object> Store::list(std::string_view kind, std::string_view prefix) {
  std::vector<json::object> out;
  for (const Row& row : query("SELECT json FROM resources WHERE kind = ?1 AND substr(name, 1, length(?2)) = ?2 "
                              "ORDER BY name",
                              {std::string(kind), std::string(prefix)})) {
    json::value value = parsed(text_of(row[0].value));
    if (value.is_object()) out.push_back(std::move(value.get_object()));
  }
  return out;
}

std::int64_t Store::count(std::string_view counter) {
  execute("INSERT INTO counters VALUES(?1, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1",
          {std::string(counter)});
  const std::vector<Row> rows = query("SELECT value FROM counters WHERE name = ?1", {std::string(counter)});
  return rows.empty() ? 0 : int_of(rows[0][0].value);
}

}  // namespace serin::google_emulator
