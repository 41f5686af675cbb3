#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "bigquery.hpp"
#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

std::string storage_name(std::int64_t number) { return fmt::format("t{}", number); }

std::string definition_of(const sql::Column& column) {
  return fmt::format("{} {}{}", sql::quoted(column.name), sql::storage_of(column.type),
                     column.required ? " NOT NULL" : "");
}

}  // namespace

Result<std::vector<sql::Column>> columns_of_schema(const json::object& resource) {
  std::vector<sql::Column> out;
  const json::object* schema = object_at(resource, "schema");
  const json::array* fields = schema == nullptr ? nullptr : array_at(*schema, "fields");
  if (fields == nullptr) return out;
  for (const json::value& value : *fields) {
    const json::object* field = value.if_object();
    if (field == nullptr) return fail(Errc::invalid_argument, "A field of the schema is no object");
    sql::Column column{.name = text_at(*field, "name")};
    const auto kind = sql::kind_of(text_at(*field, "type"));
    if (column.name.empty()) return fail(Errc::invalid_argument, "A field of the schema has no name");
    if (!kind)
      return fail(Errc::invalid_argument,
                  fmt::format("Invalid value for type: {} is not a valid value", text_at(*field, "type")));
    column.type.kind = *kind;
    column.required = equal_ignoring_case(text_at(*field, "mode"), "REQUIRED");
    column.default_sql = text_at(*field, "defaultValueExpression");
    column.description = text_at(*field, "description");
    if (*kind == sql::Kind::structure || equal_ignoring_case(text_at(*field, "mode"), "REPEATED"))
      return fail(Errc::unsupported, fmt::format("Field {}: RECORD and REPEATED columns are not supported by this "
                                                 "emulator",
                                                 column.name));
    out.push_back(std::move(column));
  }
  return out;
}

json::object schema_of_columns(const std::vector<sql::Column>& columns, bool of_table) {
  json::array fields;
  for (const sql::Column& column : columns) {
    json::object field{{"name", column.name}, {"type", sql::rest_name(column.type.kind)}};
    if (column.type.kind == sql::Kind::null) field["type"] = "INTEGER";
    if (column.type.array) {
      field["mode"] = "REPEATED";
    } else if (column.required) {
      field["mode"] = "REQUIRED";
    } else if (!of_table) {
      field["mode"] = "NULLABLE";
    }
    if (!column.description.empty()) field["description"] = column.description;
    if (!column.default_sql.empty()) field["defaultValueExpression"] = column.default_sql;
    fields.push_back(std::move(field));
  }
  return {{"fields", std::move(fields)}};
}

Status BigQueryCatalog::prepare(Connection& connection) {
  for (const std::string_view table :
       {"CREATE TABLE IF NOT EXISTS bq_datasets(project TEXT, id TEXT, json TEXT, PRIMARY KEY(project, id))",
        "CREATE TABLE IF NOT EXISTS bq_tables(number INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT, dataset TEXT, "
        "id TEXT, json TEXT, UNIQUE(project, dataset, id))",
        "CREATE TABLE IF NOT EXISTS bq_columns(number INTEGER, position INTEGER, name TEXT, type TEXT, required "
        "INTEGER, "
        "default_sql TEXT, description TEXT, PRIMARY KEY(number, position)) WITHOUT ROWID"})
    SERIN_CHECK(connection.run(table));
  return {};
}

Result<sql::Table> BigQueryCatalog::view(const sql::TableName& name) const {
  using sql::Kind;
  sql::Table out{.name = name, .is_view = true};
  const std::string where =
      fmt::format("t.project = {} AND t.dataset = {}", sql::literal(name.project), sql::literal(name.dataset));
  const auto column = [](std::string_view title, Kind kind) {
    return sql::Column{.name = std::string(title), .type = {.kind = kind}};
  };
  if (name.table == "INFORMATION_SCHEMA.COLUMNS") {
    out.columns = {column("table_catalog", Kind::string),   column("table_schema", Kind::string),
                   column("table_name", Kind::string),      column("column_name", Kind::string),
                   column("ordinal_position", Kind::int64), column("is_nullable", Kind::string),
                   column("data_type", Kind::string),       column("column_default", Kind::string)};
    out.storage = fmt::format(
        "(SELECT t.project AS table_catalog, t.dataset AS table_schema, t.id AS table_name, c.name AS column_name, "
        "c.position AS ordinal_position, CASE WHEN c.required THEN 'NO' ELSE 'YES' END AS is_nullable, c.type AS "
        "data_type, CASE WHEN c.default_sql = '' THEN 'NULL' ELSE c.default_sql END AS column_default FROM bq_tables "
        "AS "
        "t JOIN bq_columns AS c ON c.number = t.number WHERE {})",
        where);
    return out;
  }
  if (name.table == "INFORMATION_SCHEMA.TABLES") {
    out.columns = {column("table_catalog", Kind::string), column("table_schema", Kind::string),
                   column("table_name", Kind::string), column("table_type", Kind::string)};
    out.storage = fmt::format(
        "(SELECT t.project AS table_catalog, t.dataset AS table_schema, t.id AS table_name, "
        "'BASE TABLE' AS table_type FROM bq_tables AS t WHERE {})",
        where);
    return out;
  }
  return fail(Errc::unsupported, fmt::format("The view {} is not supported by this emulator", name.table));
}

Result<sql::Table> BigQueryCatalog::find(const sql::TableName& name) const {
  SERIN_TRY(const auto dataset_of, dataset(name.project, name.dataset));
  if (!dataset_of)
    return fail(Errc::not_found,
                fmt::format("Not found: Dataset {}:{} was not found in location US", name.project, name.dataset));
  if (name.table.starts_with("INFORMATION_SCHEMA.")) return view(name);
  SERIN_TRY(const SqlValue number,
            connection_.value("SELECT number FROM bq_tables WHERE project = ?1 AND dataset = ?2 AND id = ?3",
                              {name.project, name.dataset, name.table}));
  if (is_null(number))
    return fail(Errc::not_found, fmt::format("Not found: Table {} was not found in location US", name.text()));
  sql::Table out{.name = name, .storage = storage_name(int_of(number))};
  SERIN_CHECK(connection_.run(
      "SELECT name, type, required, default_sql, description FROM bq_columns WHERE number = ?1 ORDER BY position",
      {number}, [&out](const Row& row) {
        out.columns.push_back({.name = text_of(row[0].value),
                               .type = {.kind = sql::kind_of(text_of(row[1].value)).value_or(sql::Kind::string)},
                               .required = int_of(row[2].value) != 0,
                               .default_sql = text_of(row[3].value),
                               .description = text_of(row[4].value)});
      }));
  return out;
}

Result<std::optional<json::object>> BigQueryCatalog::dataset(const std::string& project, const std::string& id) const {
  SERIN_TRY(const SqlValue found,
            connection_.value("SELECT json FROM bq_datasets WHERE project = ?1 AND id = ?2", {project, id}));
  if (is_null(found)) return std::nullopt;
  return parsed(text_of(found)).as_object();
}

Result<std::optional<json::object>> BigQueryCatalog::table(const sql::TableName& name) const {
  SERIN_TRY(const SqlValue found,
            connection_.value("SELECT json FROM bq_tables WHERE project = ?1 AND dataset = ?2 AND id = ?3",
                              {name.project, name.dataset, name.table}));
  if (is_null(found)) return std::nullopt;
  return parsed(text_of(found)).as_object();
}

Result<std::vector<json::object>> BigQueryCatalog::datasets(const std::string& project) const {
  std::vector<json::object> out;
  SERIN_CHECK(connection_.run("SELECT json FROM bq_datasets WHERE project = ?1 ORDER BY id", {project},
                              [&out](const Row& row) { out.push_back(parsed(text_of(row[0].value)).as_object()); }));
  return out;
}

Result<std::vector<json::object>> BigQueryCatalog::tables(const std::string& project,
                                                          const std::string& dataset) const {
  std::vector<json::object> out;
  SERIN_CHECK(connection_.run("SELECT json FROM bq_tables WHERE project = ?1 AND dataset = ?2 ORDER BY id",
                              {project, dataset},
                              [&out](const Row& row) { out.push_back(parsed(text_of(row[0].value)).as_object()); }));
  return out;
}

Result<json::object> BigQueryCatalog::with_times(json::object resource,
                                                 const std::optional<json::object>& before) const {
  const std::string now = std::to_string(now_ms_);
  const std::string created = before ? text_at(*before, "creationTime") : now;
  SERIN_TRY(const SqlValue unique, connection_.value("SELECT hex(randomblob(8))"));
  resource["creationTime"] = created;
  resource["lastModifiedTime"] = now;
  resource["etag"] = base64_encode(text_of(unique));
  return resource;
}

Result<json::object> BigQueryCatalog::put_dataset(const std::string& project, const std::string& id,
                                                  json::object resource, bool is_new) {
  SERIN_TRY(const auto before, dataset(project, id));
  if (before && is_new) return fail(Errc::conflict, fmt::format("Already Exists: Dataset {}:{}", project, id));
  resource["kind"] = "bigquery#dataset";
  resource["id"] = project + ":" + id;
  resource["datasetReference"] = json::object{{"projectId", project}, {"datasetId", id}};
  if (!resource.contains("location")) resource["location"] = "US";
  if (!resource.contains("type")) resource["type"] = "DEFAULT";
  SERIN_TRY(resource, with_times(std::move(resource), before));
  SERIN_CHECK(
      connection_.run("INSERT INTO bq_datasets VALUES(?1, ?2, ?3) ON CONFLICT(project, id) DO UPDATE SET json = "
                      "excluded.json",
                      {project, id, json::serialize(resource)}));
  return resource;
}

Result<json::object> BigQueryCatalog::put_table(const sql::TableName& name, json::object resource,
                                                const std::vector<sql::Column>& columns, bool is_new) {
  SERIN_TRY(const auto parent, dataset(name.project, name.dataset));
  if (!parent) return fail(Errc::not_found, fmt::format("Not found: Dataset {}:{}", name.project, name.dataset));
  SERIN_TRY(const auto before, table(name));
  if (before && is_new) return fail(Errc::conflict, fmt::format("Already Exists: Table {}", name.text()));
  resource["kind"] = "bigquery#table";
  resource["id"] = name.text();
  resource["tableReference"] =
      json::object{{"projectId", name.project}, {"datasetId", name.dataset}, {"tableId", name.table}};
  resource["type"] = "TABLE";
  resource["location"] = text_at(*parent, "location");
  SERIN_TRY(resource, with_times(std::move(resource), before));
  if (!is_new) {
    SERIN_CHECK(connection_.run("UPDATE bq_tables SET json = ?4 WHERE project = ?1 AND dataset = ?2 AND id = ?3",
                                {name.project, name.dataset, name.table, json::serialize(resource)}));
    return resource;
  }
  SERIN_CHECK(connection_.run("INSERT INTO bq_tables(project, dataset, id, json) VALUES(?1, ?2, ?3, ?4)",
                              {name.project, name.dataset, name.table, json::serialize(resource)}));
  SERIN_TRY(const SqlValue number, connection_.value("SELECT last_insert_rowid()"));
  std::string list;
  std::int64_t position = 0;
  for (const sql::Column& column : columns) {
    list += (list.empty() ? "" : ", ") + definition_of(column);
    SERIN_CHECK(connection_.run("INSERT INTO bq_columns VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                                {number, ++position, column.name, std::string(sql::kind_name(column.type.kind)),
                                 std::int64_t{column.required}, column.default_sql, column.description}));
  }
  if (list.empty()) list = "\"$none\" INTEGER";  // SQLite has no tables without columns
  const std::string storage = storage_name(int_of(number));
  SERIN_CHECK(connection_.run(fmt::format("CREATE TABLE {}({}) STRICT", storage, list)));
  // Not enforced, but it makes MERGE on the key fast.
  if (const json::object* constraints = object_at(resource, "tableConstraints"))
    if (const json::object* key = object_at(*constraints, "primaryKey"))
      if (const json::array* names = array_at(*key, "columns"); names != nullptr && !names->empty()) {
        std::string keys;
        for (const json::value& value : *names) keys += (keys.empty() ? "" : ", ") + sql::quoted(scalar_text(value));
        SERIN_CHECK(connection_.run(fmt::format("CREATE INDEX {0}_key ON {0}({1})", storage, keys)));
      }
  return resource;
}

Status BigQueryCatalog::erase_table(const sql::TableName& name) {
  SERIN_TRY(const sql::Table found, find(name));
  SERIN_CHECK(
      connection_.run("DELETE FROM bq_columns WHERE number = ?1", {to_int(found.storage.substr(1)).value_or(0)}));
  SERIN_CHECK(connection_.run("DELETE FROM bq_tables WHERE project = ?1 AND dataset = ?2 AND id = ?3",
                              {name.project, name.dataset, name.table}));
  SERIN_CHECK(connection_.run("DROP TABLE " + found.storage));
  return {};
}

Status BigQueryCatalog::erase_dataset(const std::string& project, const std::string& id, bool contents) {
  SERIN_TRY(const auto found, dataset(project, id));
  if (!found) return fail(Errc::not_found, fmt::format("Not found: Dataset {}:{}", project, id));
  SERIN_TRY(const std::vector<json::object> inside, tables(project, id));
  if (!inside.empty() && !contents)
    return fail(Errc::conflict, fmt::format("Dataset {}:{} is still in use", project, id));
  for (const json::object& table_of : inside) {
    const json::object* reference = object_at(table_of, "tableReference");
    SERIN_CHECK(erase_table({project, id, reference == nullptr ? "" : text_at(*reference, "tableId")}));
  }
  SERIN_CHECK(connection_.run("DELETE FROM bq_datasets WHERE project = ?1 AND id = ?2", {project, id}));
  return {};
}

Status BigQueryCatalog::add_columns(const sql::TableName& name, const std::vector<sql::Column>& columns,
                                    bool if_missing) {
  SERIN_TRY(const sql::Table found, find(name));
  const std::int64_t number = to_int(found.storage.substr(1)).value_or(0);
  auto position = static_cast<std::int64_t>(found.columns.size());
  for (const sql::Column& column : columns) {
    const bool there = std::ranges::any_of(
        found.columns, [&](const sql::Column& other) { return equal_ignoring_case(other.name, column.name); });
    if (there && if_missing) continue;
    if (there) return fail(Errc::invalid_argument, fmt::format("Column already exists: {}", column.name));
    if (column.required)
      return fail(Errc::invalid_argument,
                  fmt::format("Cannot add required columns to an existing schema. (column: {})", column.name));
    SERIN_CHECK(connection_.run(fmt::format("ALTER TABLE {} ADD COLUMN {}", found.storage, definition_of(column))));
    SERIN_CHECK(connection_.run("INSERT INTO bq_columns VALUES(?1, ?2, ?3, ?4, 0, ?5, ?6)",
                                {number, ++position, column.name, std::string(sql::kind_name(column.type.kind)),
                                 column.default_sql, column.description}));
  }
  return keep_schema(name);
}

Status BigQueryCatalog::rename_columns(const sql::TableName& name,
                                       const std::vector<std::pair<std::string, std::string>>& renames) {
  for (const auto& [from, to] : renames) {
    SERIN_TRY(const sql::Table found, find(name));
    const auto has = [&found](const std::string& wanted) {
      return std::ranges::any_of(found.columns,
                                 [&](const sql::Column& column) { return equal_ignoring_case(column.name, wanted); });
    };
    if (!has(from)) return fail(Errc::invalid_argument, fmt::format("Column not found: {}", from));
    if (has(to)) return fail(Errc::invalid_argument, fmt::format("Column already exists: {}", to));
    SERIN_CHECK(connection_.run(
        fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", found.storage, sql::quoted(from), sql::quoted(to))));
    SERIN_CHECK(connection_.run("UPDATE bq_columns SET name = ?3 WHERE number = ?1 AND lower(name) = lower(?2)",
                                {to_int(found.storage.substr(1)).value_or(0), from, to}));
  }
  return keep_schema(name);
}

/// The columns as they are now, in the table's resource.
Status BigQueryCatalog::keep_schema(const sql::TableName& name) {
  SERIN_TRY(auto resource, table(name));
  SERIN_TRY(const sql::Table after, find(name));
  (*resource)["schema"] = schema_of_columns(after.columns, true);
  SERIN_CHECK(put_table(name, std::move(*resource), {}, false));
  return {};
}

}  // namespace serin::google_emulator
