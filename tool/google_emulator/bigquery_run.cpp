#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "bigquery_job.hpp"
#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

constexpr std::size_t most_rows = 5'000'000;

/// The dataset and table of a tableReference.
std::optional<sql::TableName> table_reference(const json::object* reference, const std::string& project) {
  if (reference == nullptr) return std::nullopt;
  sql::TableName out{text_at(*reference, "projectId"), text_at(*reference, "datasetId"),
                     text_at(*reference, "tableId")};
  if (out.project.empty()) out.project = project;
  return out;
}

std::string session_of(const json::object& query) {
  if (const json::array* properties = array_at(query, "connectionProperties"))
    for (const json::value& value : *properties)
      if (const json::object* property = value.if_object();
          property != nullptr && text_at(*property, "key") == "session_id")
        return text_at(*property, "value");
  return "";
}

bool ends_session(std::string_view text) {
  std::string words;
  for (const char c : text)
    if (c != ' ' && c != '\n' && c != '\t' && c != ';') words += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return words == "CALLBQ.ABORT_SESSION()";
}

Status plainly(Connection& connection, std::string_view sql) {
  SERIN_CHECK(connection.run(sql));
  return {};
}

/// A statement that is undone when it fails, inside of a transaction or in one of its own.
Status atomically(Connection& connection, const std::function<Status()>& work) {
  const bool inside = connection.in_transaction();
  SERIN_CHECK(connection.run(inside ? "SAVEPOINT statement" : "BEGIN IMMEDIATE"));
  Status done = work();
  if (done) {
    if (const auto kept = connection.run(inside ? "RELEASE statement" : "COMMIT"); !kept) done = pass(kept.error());
  }
  if (!done) {
    static_cast<void>(connection.run(inside ? "ROLLBACK TO statement" : "ROLLBACK"));
    if (inside) static_cast<void>(connection.run("RELEASE statement"));
  }
  return done;
}

}  // namespace

std::unexpected<Failure> query_failure(const Error& error) {
  const std::string& what = error.detail();
  switch (error.code()) {
    case Errc::not_found: return not_found(what);
    case Errc::invalid_argument:
    case Errc::unsupported: return refuse(400, "INVALID_ARGUMENT", "invalidQuery", what);
    case Errc::conflict:
      if (what.starts_with("Already Exists")) return exists(what);
      if (what.starts_with("NOT NULL constraint failed"))
        return refuse(400, "INVALID_ARGUMENT", "invalidQuery",
                      "Required field " + what.substr(what.rfind('.') + 1) + " cannot be null");
      if (what.find("still in use") != std::string::npos)
        return refuse(400, "FAILED_PRECONDITION", "resourceInUse", what);
      if (what.find("constraint") != std::string::npos) return refuse(400, "INVALID_ARGUMENT", "invalidQuery", what);
      // SQLite: somebody wrote after our transaction had read.
      return refuse(400, "ABORTED", "invalidQuery",
                    "Transaction is aborted due to concurrent update against the database");
    default: return refuse(error);
  }
}

Result<std::int64_t> bytes_of(Connection& connection, const std::vector<sql::Read>& reads, Count count) {
  std::int64_t total = 0;
  for (const sql::Read& read : reads) {
    if (read.columns.empty()) continue;
    std::string sum;
    for (const sql::Column& column : read.columns) {
      // A null is free; a text costs two bytes more than it has.
      const std::string name = sql::quoted(column.name);
      const bool text = sql::storage_of(column.type) == "TEXT" || sql::storage_of(column.type) == "BLOB";
      const std::string size = column.type.kind == sql::Kind::date ? "8"
                               : text                              ? fmt::format("2 + length(CAST({} AS BLOB))", name)
                               : column.type.kind == sql::Kind::boolean ? "1"
                               : column.type.kind == sql::Kind::numeric ? "16"
                                                                        : "8";
      sum +=
          fmt::format("{}ifnull(sum(CASE WHEN {} IS NOT NULL THEN {} END), 0)", sum.empty() ? "" : " + ", name, size);
    }
    if (count == Count::exactly) {
      SERIN_TRY(const SqlValue bytes, connection.value(fmt::format("SELECT {} FROM {}", sum, read.storage)));
      total += int_of(bytes);
      continue;
    }
    // Reading the whole table a second time would cost more than the statement itself.
    SERIN_TRY(const SqlValue of_some,
              connection.value(
                  fmt::format("SELECT ({}) / max(1, count(*)) FROM (SELECT * FROM {} LIMIT 50)", sum, read.storage)));
    SERIN_TRY(const SqlValue rows, connection.value(fmt::format("SELECT max(_rowid_) FROM {}", read.storage)));
    total += int_of(of_some) * int_of(rows);
  }
  return total;
}

void BigQuery::drop_idle_sessions() {
  std::vector<std::shared_ptr<Session>> dropped;  // closed outside of the lock
  const std::lock_guard lock(mutex_);
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    if (sleeper_.now() - at->second->last_used > options_.session_idle && at->second.use_count() == 1) {
      dropped.push_back(std::move(at->second));
      at = sessions_.erase(at);
    } else {
      ++at;
    }
  }
}

Result<std::string> BigQuery::new_session() {
  SERIN_TRY(Database::Lease connection, database_.take());
  auto made = std::make_shared<Session>();
  made->connection = std::move(connection);
  std::string id = base64_encode(random_hex(random_, 32));
  const std::lock_guard lock(mutex_);
  made->last_used = sleeper_.now();
  sessions_.emplace(id, std::move(made));
  return id;
}

Result<std::shared_ptr<BigQuery::Session>> BigQuery::session(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end())
    return fail(Errc::invalid_argument, fmt::format("Resource in session {} has expired or was never created", id));
  found->second->last_used = sleeper_.now();
  return found->second;
}

std::expected<QueryResult, Failure> BigQuery::run(const json::object& query, const json::object& reference,
                                                  bool dry_run, WallTime now) {
  static_cast<void>(reference);
  drop_idle_sessions();
  std::string id = session_of(query);
  if (id.empty() && bool_at(query, "createSession") && !dry_run) {
    auto made = new_session();
    if (!made) return refuse(made.error());
    id = *made;
  }
  if (id.empty()) {
    auto lease = database_.take();
    if (!lease) return refuse(lease.error());
    return run_on(**lease, query, dry_run, false, now);
  }
  auto found = session(id);
  if (!found) return query_failure(found.error());
  if (ends_session(text_at(query, "query"))) {
    const std::lock_guard lock(mutex_);
    sessions_.erase(id);
    return QueryResult{.statement_type = "CALL", .session = id};
  }
  const std::lock_guard busy((*found)->mutex);
  auto result = run_on(*(*found)->connection, query, dry_run, true, now);
  if (result) result->session = id;
  return result;
}

std::expected<QueryResult, Failure> BigQuery::run_on(Connection& connection, const json::object& query, bool dry_run,
                                                     bool is_session, WallTime now) {
  if (query.contains("useLegacySql") ? bool_at(query, "useLegacySql") : false)
    return refuse(400, "INVALID_ARGUMENT", "invalidQuery", "Legacy SQL is not supported by this emulator");
  auto parameters = parameters_of(query);
  if (!parameters) return query_failure(parameters.error());
  sql::TranslateOptions options{.project = options_.project, .parameters = parameters->types, .now = now};
  if (const json::object* dataset = object_at(query, "defaultDataset")) {
    options.dataset = text_at(*dataset, "datasetId");
    if (dataset->contains("projectId")) options.project = text_at(*dataset, "projectId");
  }
  if (!query.contains("defaultDataset") && query.contains("project")) options.project = text_at(query, "project");
  const auto statements = sql::split_statements(text_at(query, "query"));
  if (!statements) return query_failure(statements.error());
  QueryResult result;
  for (const std::string& text : *statements) {
    QueryResult next;
    if (auto done = run_one(connection, text, options, *parameters, query, dry_run, next); !done) {
      if (!is_session && connection.in_transaction()) static_cast<void>(connection.run("ROLLBACK"));
      return std::unexpected(std::move(done.error()));
    }
    next.bytes += result.bytes;
    if (!next.has_rows && result.has_rows && statements->size() > 1) {
      next.columns = std::move(result.columns);
      next.rows = std::move(result.rows);
      next.has_rows = true;
    }
    result = std::move(next);
  }
  if (!is_session && connection.in_transaction()) {
    static_cast<void>(connection.run("ROLLBACK"));
    return refuse(400, "INVALID_ARGUMENT", "invalidQuery",
                  "A transaction must be committed or rolled back in the same script, or in a session");
  }
  if (statements->size() > 1) {
    result.statement_type = "SCRIPT";
    result.affected.reset();
  }
  return result;
}

std::expected<void, Failure> BigQuery::run_one(Connection& connection, const std::string& text,
                                               const sql::TranslateOptions& options, const QueryParameters& parameters,
                                               const json::object& query, bool dry_run, QueryResult& result) {
  const BigQueryCatalog catalog(connection, now_ms());
  auto statement = sql::translate(text, options, catalog);
  if (!statement) return query_failure(statement.error());
  result.statement_type = sql::statement_type(statement->kind);
  if (statement->kind == sql::Statement::Kind::select) result.columns = statement->columns;
  const std::int64_t most = int_at(query, "maximumBytesBilled", -1);
  const auto bytes = bytes_of(connection, statement->reads, dry_run || most > 0 ? Count::exactly : Count::roughly);
  if (!bytes) return query_failure(bytes.error());
  result.bytes = *bytes;
  if (!statement->target.table.empty()) result.destination = statement->target.dataset + "." + statement->target.table;
  const std::int64_t billed = *bytes == 0 ? 0 : std::max<std::int64_t>(*bytes, 10 << 20);
  if (most > 0 && billed > most)
    return refuse(400, "INVALID_ARGUMENT", "bytesBilledLimitExceeded",
                  fmt::format("Query exceeded limit for bytes billed: {}. {} or higher required.", most, billed));
  if (dry_run) return {};
  if (const json::object* reference = object_at(query, "destinationTable");
      reference != nullptr && statement->kind == sql::Statement::Kind::select) {
    const Status stored = into_destination(connection, query, *statement, parameters, result);
    if (!stored) return query_failure(stored.error());
    return {};
  }
  const Status done = execute(connection, *statement, parameters, result);
  if (!done) return query_failure(done.error());
  return {};
}

Status BigQuery::execute(Connection& connection, const sql::Statement& statement, const QueryParameters& parameters,
                         QueryResult& result) {
  using Kind = sql::Statement::Kind;
  const bool inside = connection.in_transaction();
  switch (statement.kind) {
    case Kind::begin:
      if (inside) return fail(Errc::invalid_argument, "Transaction is already in progress");
      return plainly(connection, "BEGIN");
    case Kind::commit:
    case Kind::rollback:
      if (!inside) return fail(Errc::invalid_argument, "There is no active transaction");
      return plainly(connection, statement.kind == Kind::commit ? "COMMIT" : "ROLLBACK");
    case Kind::create_table:
    case Kind::create_table_as:
    case Kind::drop_table:
    case Kind::alter:
    case Kind::create_schema:
    case Kind::drop_schema:
      if (inside) return fail(Errc::invalid_argument, "DDL statements are not supported inside a transaction");
      return atomically(connection, [&] { return define(connection, statement, parameters, result); });
    case Kind::select: {
      result.has_rows = true;
      SERIN_CHECK(connection.run(statement.steps[0].sql, parameters.values, [&](Row row) {
        if (result.rows.size() < most_rows) result.rows.push_back(std::move(row));
      }));
      if (result.rows.size() == most_rows) return fail(Errc::invalid_argument, "Response too large to return");
      return {};
    }
    case Kind::insert:
    case Kind::update:
    case Kind::remove:
    case Kind::merge:
    case Kind::truncate: break;
  }
  return atomically(connection, [&]() -> Status {
    for (const sql::Step& step : statement.steps) {
      bool seen = false;
      SERIN_TRY(const std::int64_t changed,
                connection.run(step.sql, parameters.values, [&seen](const Row&) { seen = true; }));
      if (step.role == sql::Step::Role::guard && seen) return fail(Errc::invalid_argument, step.complaint);
      if (step.role == sql::Step::Role::inserts) result.inserted += changed;
      if (step.role == sql::Step::Role::updates) result.updated += changed;
      if (step.role == sql::Step::Role::deletes) result.deleted += changed;
    }
    result.affected = result.inserted + result.updated + result.deleted;
    return {};
  });
}

Status BigQuery::define(Connection& connection, const sql::Statement& statement, const QueryParameters& parameters,
                        QueryResult& result) {
  using Kind = sql::Statement::Kind;
  BigQueryCatalog catalog(connection, now_ms());
  const sql::TableName& target = statement.target;
  if (statement.kind == Kind::create_schema) {
    SERIN_TRY(const auto found, catalog.dataset(target.project, target.dataset));
    if (found && statement.if_exists) return {};
    SERIN_CHECK(catalog.put_dataset(target.project, target.dataset, {}, true));
    return {};
  }
  if (statement.kind == Kind::drop_schema) {
    SERIN_TRY(const auto found, catalog.dataset(target.project, target.dataset));
    if (!found && statement.if_exists) return {};
    return catalog.erase_dataset(target.project, target.dataset, statement.cascade);
  }
  SERIN_TRY(const auto found, catalog.table(target));
  if (statement.kind == Kind::drop_table) return !found && statement.if_exists ? Status() : catalog.erase_table(target);
  if (statement.kind == Kind::alter && !statement.renames.empty())
    return catalog.rename_columns(target, statement.renames);
  if (statement.kind == Kind::alter) return catalog.add_columns(target, statement.columns, statement.if_exists);
  if (found && statement.if_exists) return {};
  if (found && statement.or_replace) SERIN_CHECK(catalog.erase_table(target));
  json::object resource{{"schema", schema_of_columns(statement.columns, true)}};
  if (!statement.primary_key.empty()) {
    json::array keys;
    for (const std::string& name : statement.primary_key) keys.emplace_back(name);
    resource["tableConstraints"] = json::object{{"primaryKey", json::object{{"columns", std::move(keys)}}}};
  }
  // The source is read before the table is there: CREATE OR REPLACE TABLE t AS SELECT ... FROM t.
  SERIN_CHECK(catalog.put_table(target, std::move(resource), statement.columns, true));
  if (statement.kind != Kind::create_table_as) return {};
  SERIN_TRY(const sql::Table made, catalog.find(target));
  SERIN_TRY(result.inserted,
            connection.run(fmt::format("INSERT INTO {} {}", made.storage, statement.steps[0].sql), parameters.values));
  return {};
}

/// SELECT with a destinationTable: WRITE_EMPTY unless said otherwise.
Status BigQuery::into_destination(Connection& connection, const json::object& query, const sql::Statement& statement,
                                  const QueryParameters& parameters, QueryResult& result) {
  const auto target = table_reference(object_at(query, "destinationTable"), options_.project);
  return atomically(connection, [&]() -> Status {
    BigQueryCatalog catalog(connection, now_ms());
    result.has_rows = true;
    SERIN_CHECK(connection.run(statement.steps[0].sql, parameters.values,
                               [&](Row row) { result.rows.push_back(std::move(row)); }));
    SERIN_TRY(const auto found, catalog.table(*target));
    const std::string disposition = text_at(query, "writeDisposition");
    if (found && disposition == "WRITE_TRUNCATE") SERIN_CHECK(catalog.erase_table(*target));
    if (!found || disposition == "WRITE_TRUNCATE") {
      json::object resource{{"schema", schema_of_columns(statement.columns, true)}};
      SERIN_CHECK(catalog.put_table(*target, std::move(resource), statement.columns, true));
    }
    SERIN_TRY(const sql::Table made, catalog.find(*target));
    if (found && disposition != "WRITE_TRUNCATE" && disposition != "WRITE_APPEND") {
      SERIN_TRY(const SqlValue rows, connection.value("SELECT count(*) FROM " + made.storage));
      if (int_of(rows) > 0) return fail(Errc::conflict, fmt::format("Already Exists: Table {}", target->text()));
    }
    std::string names;
    std::string marks;
    for (std::size_t i = 0; i < statement.columns.size(); ++i) {
      names += (i == 0 ? "" : ", ") + sql::quoted(statement.columns[i].name);
      marks += fmt::format("{}?{}", i == 0 ? "" : ", ", i + 1);
    }
    for (const Row& row : result.rows)
      SERIN_CHECK(connection.run(fmt::format("INSERT INTO {}({}) VALUES({})", made.storage, names, marks), row));
    return {};
  });
}

}  // namespace serin::google_emulator
