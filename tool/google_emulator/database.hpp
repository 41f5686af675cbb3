#pragma once
#include <sqlite3.h>

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/sql.hpp"

// Private to the module.
namespace serin::google_emulator {

/// A value with the one difference that SqlValue does not know: bytes are not text.
struct Cell {
  SqlValue value;
  bool bytes = false;
};
using Row = std::vector<Cell>;

/// One connection to a SQLite file, with the functions of google_sql. Waits for locks for ten seconds at most.
/// Threads: one at a time.
class Connection {
 public:
  /// Errors: not_found, permission_denied, data_loss.
  static Result<std::unique_ptr<Connection>> open(const std::string& path);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs one statement with ?N for the Nth parameter; returns how many rows it changed. Errors: invalid_argument (the
  /// sentence is SQLite's or the function's), conflict (a constraint, or a snapshot that somebody wrote past),
  /// unavailable (locked), exhausted.
  Result<std::int64_t> run(std::string_view sql, std::span<const Cell> parameters = {},
                           const std::function<void(Row)>& row = nullptr);
  Result<std::int64_t> run(std::string_view sql, std::initializer_list<SqlValue> parameters,
                           const std::function<void(Row)>& row = nullptr);
  /// The first cell of the first row; NULL when there is none.
  Result<SqlValue> value(std::string_view sql, std::initializer_list<SqlValue> parameters = {});
  [[nodiscard]] bool in_transaction() const noexcept { return sqlite3_get_autocommit(database_) == 0; }

 private:
  explicit Connection(sqlite3* database) : database_(database) {}
  [[nodiscard]] std::unexpected<Error> error(int code) const;
  sqlite3* database_;
};

/// A SQLite file and its idle connections. Threads: any.
class Database {
 public:
  /// \param path  of the file; made when it is not there
  static Result<std::unique_ptr<Database>> open(std::string path);
  /// A connection of one's own; returned when the pointer goes.
  using Lease = std::unique_ptr<Connection, std::function<void(Connection*)>>;
  Result<Lease> take();

 private:
  explicit Database(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
};

[[nodiscard]] std::string text_of(const SqlValue& value);
[[nodiscard]] std::int64_t int_of(const SqlValue& value);
[[nodiscard]] bool is_null(const SqlValue& value);

}  // namespace serin::google_emulator
