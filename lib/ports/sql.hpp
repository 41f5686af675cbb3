#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin {

/// NULL, integer, floating point or text; the four that SQLite, PostgreSQL and BigQuery share without loss.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;
using SqlRow = std::vector<SqlValue>;

struct SqlTable {
  std::vector<std::string> columns;
  std::vector<SqlRow> rows;
};

/// One connection, for the length of a transaction. Threads: the one that was given it.
class SqlSession {
 public:
  virtual ~SqlSession() = default;
  /// Runs one statement; parameters are written $1, $2, ... in the text and may repeat.
  /// Errors: invalid_argument (syntax, unknown table or column, wrong number of parameters; the database's own words
  /// are in the sentence), conflict (constraint), unavailable (busy, gone), deadline_exceeded, exhausted (disk full),
  /// data_loss (damaged file).
  virtual Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters) = 0;
  /// Like query(), for statements without rows. Returns how many rows changed.
  virtual Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters) = 0;
};

/// A database. Threads: any; connections are pooled and bounded inside.
class Sql {
 public:
  virtual ~Sql() = default;
  virtual Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) = 0;
  virtual Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters,
                                       Deadline deadline) = 0;
  /// Runs `work` in one write transaction: committed when it returns success, rolled back otherwise. `work` runs once;
  /// while it waits for the database's lock the deadline holds. Once this returns success the change survives kill -9.
  virtual Status transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) = 0;
  /// Whether the aggregate of ports/scan.hpp is there: many measures of a table for the price of reading it once.
  [[nodiscard]] virtual bool scans_natively() const { return false; }

  // The same with braces at the call site: sql.query("... $1", {{player}}, deadline) needs no named array.
  Result<SqlTable> query(std::string_view sql, std::initializer_list<SqlValue> parameters, Deadline deadline) {
    return query(sql, std::span<const SqlValue>(parameters.begin(), parameters.size()), deadline);
  }
  Result<std::int64_t> execute(std::string_view sql, std::initializer_list<SqlValue> parameters, Deadline deadline) {
    return execute(sql, std::span<const SqlValue>(parameters.begin(), parameters.size()), deadline);
  }
};

}  // namespace serin
