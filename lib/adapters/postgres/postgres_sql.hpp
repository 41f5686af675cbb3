#pragma once
#include <memory>
#include <string>
#include <vector>

#include "serin/pool/stats.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/sql.hpp"

namespace serin {

struct PostgresOptions {
  std::string url;                ///< "postgres://user@host:5432/database?sslmode=require", as libpq reads it
  int connections = 8;            ///< opened one by one when they are needed, closed when not; 1 to 64
  Duration connect_timeout = 5s;  ///< of one connection, within the caller's deadline; > 0
  bool read_only = false;         ///< the server refuses every statement that writes
  bool reuse = true;              ///< false: a connection for each call, for comparison
};

/// PostgreSQL with the semantics that the fleet's SQL has on SQLite: parameters $1, $2, ...; write transactions one
/// after the other (an advisory lock for each database), so that what a transaction read is still so when it writes;
/// table definitions in SQLite's words (INTEGER is 64 bits, REAL is double, BLOB, WITHOUT ROWID) are translated;
/// times without a zone are UTC. A statement that is not done at its deadline is cancelled on the server. A connection
/// that broke is replaced, and the others are asked whether they live; none is used that is known to be dead. While the
/// server is down, calls end with what the last attempt to connect met, at most a second after they came. Threads: any.
class PostgresSql final : public Sql {
 public:
  /// Connects once, so that a wrong address or password is told now.
  /// \param clock  outlives it; its instants must be those of steady_clock
  /// \param log    outlives it; hears of connections that are held for over a minute, were lost, or cannot be made
  /// Errors: invalid_argument (url, range), unavailable, permission_denied, not_found (no such database).
  static Result<std::unique_ptr<PostgresSql>> open(PostgresOptions options, const Clock& clock, LogSink* log = nullptr);
  ~PostgresSql() override;
  using Sql::execute;
  using Sql::query;
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Status transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) override;
  /// Of its connections: "connections".
  [[nodiscard]] std::vector<pool::NamedStats> pools() const;

 private:
  struct Parts;
  explicit PostgresSql(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace serin
