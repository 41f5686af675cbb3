#pragma once
#include <sqlite3.h>

#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

// Private to the module.
namespace serin::sqlite {

struct Access {
  bool create = false;  ///< make the file when it is not there
  bool read_only = false;
  bool sort_on_disk = false;  ///< large sorts and groups go to temporary files, not to memory
};

/// One connection with its prepared statements. Threads: one at a time.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Access access, Clock& clock);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs one statement; `rows` may be null. Stops, wherever it is, once the deadline has passed.
  Result<std::int64_t> run(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline,
                           SqlTable* rows);
  [[nodiscard]] bool in_transaction() const noexcept { return sqlite3_get_autocommit(database_) == 0; }

 private:
  explicit Connection(sqlite3* database, Clock& clock) : database_(database), clock_(clock) {}
  Result<sqlite3_stmt*> prepare(std::string_view sql);
  [[nodiscard]] std::unexpected<Error> error(std::string_view what, int code) const;

  sqlite3* database_;
  Clock& clock_;
  Deadline deadline_ = Deadline::never();  // of the statement that runs
  struct Cached {
    std::string sql;
    sqlite3_stmt* statement;
  };
  std::list<Cached> cached_;  // most recently used first; bounded
  std::unordered_map<std::string_view, std::list<Cached>::iterator> by_sql_;
};

}  // namespace serin::sqlite
