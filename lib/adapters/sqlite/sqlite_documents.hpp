#pragma once
#include <memory>

#include "serin/ports/clock.hpp"
#include "serin/ports/documents.hpp"
#include "serin/ports/sql.hpp"

namespace serin {

/// Documents in two tables of a SQLite database. Threads: any. Processes: any number on one file.
class SqliteDocuments final : public Documents {
 public:
  /// Makes the tables when they are not there. \param sql, clock  outlive it
  static Result<std::unique_ptr<SqliteDocuments>> open(Sql& sql, const Clock& clock);
  Result<std::optional<Document>> get(std::string_view collection, std::string_view id, Deadline deadline) override;
  Result<std::int64_t> put(std::string_view collection, std::string_view id, std::string json, std::int64_t expected,
                           Deadline deadline) override;
  Status erase(std::string_view collection, std::string_view id, std::int64_t expected, Deadline deadline) override;
  Result<std::vector<Document>> list(std::string_view collection, Deadline deadline) override;

 private:
  explicit SqliteDocuments(Sql& sql) : sql_(sql) {}
  Sql& sql_;
};

}  // namespace serin
