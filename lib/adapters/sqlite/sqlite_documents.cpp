#include "serin/sqlite/sqlite_documents.hpp"

#include <fmt/format.h>

#include "serin/ports/sql_cell.hpp"

namespace serin {
namespace {

SqlValue parameter(std::string_view value) { return std::string(value); }

/// The stored version, 0 when there is none.
Result<std::int64_t> version_of(SqlSession& session, std::string_view collection, std::string_view id) {
  const std::vector<SqlValue> key{parameter(collection), parameter(id)};
  SERIN_TRY(const SqlTable found,
            session.query("SELECT version FROM documents WHERE collection = $1 AND id = $2", key));
  return found.rows.empty() ? 0 : sql_number(found.rows.front()[0]);
}

std::unexpected<Error> changed(std::string_view collection, std::string_view id, std::int64_t expected,
                               std::int64_t stored) {
  return fail(Errc::conflict, fmt::format("document {}/{} has version {}, not {}", collection, id, stored, expected));
}

}  // namespace

Result<std::unique_ptr<SqliteDocuments>> SqliteDocuments::open(Sql& sql, const Clock& clock) {
  const Status made = sql.transaction(
      [](SqlSession& session) -> Status {
        SERIN_CHECK(
            session.execute("CREATE TABLE IF NOT EXISTS documents(collection TEXT, id TEXT, json TEXT NOT NULL, "
                            "version INTEGER NOT NULL, PRIMARY KEY(collection, id)) WITHOUT ROWID",
                            {}));
        // One counter for all: a version is never used twice, also after the document was deleted.
        SERIN_CHECK(session.execute("CREATE TABLE IF NOT EXISTS document_versions(last INTEGER NOT NULL)", {}));
        SERIN_CHECK(session.execute(
            "INSERT INTO document_versions(last) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM document_versions)", {}));
        return {};
      },
      Deadline::after(clock.now(), 10s));
  if (!made) return pass(made.error().in("the documents"));
  return std::unique_ptr<SqliteDocuments>(new SqliteDocuments(sql));
}

Result<std::optional<Document>> SqliteDocuments::get(std::string_view collection, std::string_view id,
                                                     Deadline deadline) {
  SERIN_TRY(const SqlTable found, sql_.query("SELECT json, version FROM documents WHERE collection = $1 AND id = $2",
                                             {parameter(collection), parameter(id)}, deadline));
  if (found.rows.empty()) return std::nullopt;
  return Document{
      .id = std::string(id), .json = sql_text(found.rows.front()[0]), .version = sql_number(found.rows.front()[1])};
}

Result<std::int64_t> SqliteDocuments::put(std::string_view collection, std::string_view id, std::string json,
                                          std::int64_t expected, Deadline deadline) {
  std::int64_t version = 0;
  SERIN_CHECK(sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_TRY(const std::int64_t stored, version_of(session, collection, id));
        if (stored != expected) return changed(collection, id, expected, stored);
        SERIN_CHECK(session.execute("UPDATE document_versions SET last = last + 1", {}));
        SERIN_TRY(const SqlTable last, session.query("SELECT last FROM document_versions", {}));
        version = sql_number(last.rows.at(0)[0]);
        const std::vector<SqlValue> row{parameter(collection), parameter(id), json, version};
        SERIN_CHECK(
            session.execute("INSERT INTO documents(collection, id, json, version) VALUES($1, $2, $3, $4) "
                            "ON CONFLICT(collection, id) DO UPDATE SET json = $3, version = $4",
                            row));
        return {};
      },
      deadline));
  return version;
}

Status SqliteDocuments::erase(std::string_view collection, std::string_view id, std::int64_t expected,
                              Deadline deadline) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_TRY(const std::int64_t stored, version_of(session, collection, id));
        if (stored != expected) return changed(collection, id, expected, stored);
        const std::vector<SqlValue> key{parameter(collection), parameter(id)};
        SERIN_CHECK(session.execute("DELETE FROM documents WHERE collection = $1 AND id = $2", key));
        return {};
      },
      deadline);
}

Result<std::vector<Document>> SqliteDocuments::list(std::string_view collection, Deadline deadline) {
  SERIN_TRY(const SqlTable found,
            sql_.query("SELECT id, json, version FROM documents WHERE collection = $1 ORDER BY id",
                       {parameter(collection)}, deadline));
  std::vector<Document> documents;
  for (const SqlRow& row : found.rows)
    documents.push_back({.id = sql_text(row[0]), .json = sql_text(row[1]), .version = sql_number(row[2])});
  return documents;
}

}  // namespace serin
