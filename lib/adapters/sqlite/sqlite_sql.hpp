#pragma once
#include <memory>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/pool/stats.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/sql.hpp"

namespace serin {

struct SqliteOptions {
  std::string path;           ///< of the database file; ":memory:" for a private one
  int read_connections = 4;   ///< 1 to 64; writes have one connection of their own
  bool create = true;         ///< make the file when it is not there
  bool sort_on_disk = false;  ///< large sorts and groups go to temporary files: slower, in bounded memory
  bool read_only = false;   ///< nothing is written, the file's journal mode neither; execute() and transaction() refuse
  bool reuse = true;        ///< false: a file's connection serves one call, for comparison
  bool native_scan = true;  ///< offer the aggregate of ports/scan.hpp; false: plain SQL, for comparison
};

/// SQLite behind the Sql port: WAL, synchronous=FULL, so what a call returned survives kill -9 and power loss.
/// Threads: any. Processes: any number on one file.
class SqliteSql final : public Sql {
 public:
  /// \param clock, log  outlive it; `log` hears of connections that were given up or cannot be made
  /// Errors: invalid_argument (options; a private database cannot be read_only), not_found, permission_denied,
  /// data_loss (no database), exhausted.
  static Result<std::unique_ptr<SqliteSql>> open(SqliteOptions options, Clock& clock, LogSink* log = nullptr);
  ~SqliteSql() override;
  using Sql::execute;
  using Sql::query;
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Status transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) override;
  [[nodiscard]] bool scans_natively() const override;
  /// Of its connections: "readers" and "writer", one or both.
  [[nodiscard]] std::vector<pool::NamedStats> pools() const;

 private:
  struct Parts;
  explicit SqliteSql(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace serin
