#include "serin/sqlite/sqlite_sql.hpp"

#include <fmt/format.h>

#include "connection.hpp"
#include "serin/pool/pool.hpp"
#include "serin/system/random.hpp"

namespace serin {
namespace {

using sqlite::Connection;

using Pool = pool::Pool<Connection>;

// A file's connections do not age, and nobody at the other end can close them.
pool::Options pool_of(int size) {
  return {.name = "database connection",
          .max = size,
          .min_idle = size,
          .borrow_timeout = 24h,  // a caller's deadline is what counts
          .wait_queue = 1000,
          .max_lifetime = 0s,
          .idle_timeout = 0s};
}

/// All of them are opened now, so that what is wrong with the file is told now.
Result<std::unique_ptr<Pool>> opened(int size, const std::string& path, sqlite::Access access, Clock& clock,
                                     Random& random, LogSink* log) {
  pool::Factory<Connection> factory;
  factory.create = [path, access, &clock](Deadline, const std::stop_token&) {
    return Connection::open(path, access, clock);
  };
  SERIN_TRY(auto made, Pool::make(pool_of(size), std::move(factory), clock, random, log));
  SERIN_CHECK(made->warm_up(size, Deadline::never()));
  return made;
}

class Session final : public SqlSession {
 public:
  Session(Connection& connection, Deadline deadline) : connection_(connection), deadline_(deadline) {}
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters) override {
    SqlTable table;
    SERIN_CHECK(connection_.run(sql, parameters, deadline_, &table));
    return table;
  }
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters) override {
    return connection_.run(sql, parameters, deadline_, nullptr);
  }

 private:
  Connection& connection_;
  Deadline deadline_;
};

}  // namespace

struct SqliteSql::Parts {
  Parts(Clock& clock_, bool in_memory_, bool read_only_)
      : clock(clock_), in_memory(in_memory_), read_only(read_only_) {}
  Clock& clock;
  SystemRandom random;
  std::unique_ptr<Pool> readers;  // null in memory
  std::unique_ptr<Pool> writer;   // null when read only
  bool in_memory;
  bool read_only;
  bool native_scan = true;
  bool reuse = true;

  Result<pool::Lease<Connection>> borrow(Pool& pool, Deadline deadline) const {
    SERIN_TRY(auto lease, pool.borrow(deadline));
    if (!reuse && !in_memory) lease.poison("none is used twice");  // in memory the connection is the database
    return lease;
  }
};

SqliteSql::SqliteSql(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SqliteSql::~SqliteSql() = default;
bool SqliteSql::scans_natively() const { return parts_->native_scan; }

std::vector<pool::NamedStats> SqliteSql::pools() const {
  std::vector<pool::NamedStats> out;
  if (parts_->readers) out.push_back({"readers", parts_->readers->stats()});
  if (parts_->writer) out.push_back({"writer", parts_->writer->stats()});
  return out;
}

Result<std::unique_ptr<SqliteSql>> SqliteSql::open(SqliteOptions options, Clock& clock, LogSink* log) {
  if (options.path.empty()) return fail(Errc::invalid_argument, "a database needs a path");
  if (options.read_connections < 1 || options.read_connections > 64)
    return fail(Errc::invalid_argument,
                fmt::format("read_connections must be 1 to 64, not {}", options.read_connections));
  auto parts = std::make_unique<Parts>(clock, options.path == ":memory:", options.read_only);
  if (parts->in_memory && parts->read_only)
    return fail(Errc::invalid_argument, "a database in memory begins empty: it cannot be read only");
  parts->native_scan = options.native_scan;
  parts->reuse = options.reuse;
  if (!parts->read_only) {
    SERIN_TRY(parts->writer, opened(1, options.path, {.create = options.create, .sort_on_disk = options.sort_on_disk},
                                    clock, parts->random, log));
  }
  if (!parts->in_memory) {
    SERIN_TRY(parts->readers,
              opened(options.read_connections, options.path, {.read_only = true, .sort_on_disk = options.sort_on_disk},
                     clock, parts->random, log));
  }
  return std::unique_ptr<SqliteSql>(new SqliteSql(std::move(parts)));
}

Result<SqlTable> SqliteSql::query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  // A private database in memory has one connection; so has a statement that writes and returns rows.
  const std::string_view word = sql.substr(std::min(sql.find_first_not_of(" \t\r\n"), sql.size()), 6);
  const bool reads = word == "SELECT" || word == "select" || word.starts_with("WITH") || word.starts_with("with");
  Pool& pool = parts_->read_only || (reads && !parts_->in_memory) ? *parts_->readers : *parts_->writer;
  SERIN_TRY(auto connection, parts_->borrow(pool, deadline));
  SqlTable table;
  SERIN_CHECK(connection->run(sql, parameters, deadline, &table));
  return table;
}

Result<std::int64_t> SqliteSql::execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  if (parts_->read_only) return fail(Errc::permission_denied, "the database was opened for reading only");
  SERIN_TRY(auto connection, parts_->borrow(*parts_->writer, deadline));
  return connection->run(sql, parameters, deadline, nullptr);
}

Status SqliteSql::transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) {
  if (parts_->read_only) return fail(Errc::permission_denied, "the database was opened for reading only");
  SERIN_TRY(auto lease, parts_->borrow(*parts_->writer, deadline));
  Connection& connection = *lease;
  SERIN_CHECK(connection.run("BEGIN IMMEDIATE", {}, deadline, nullptr));
  Session session(connection, deadline);
  Status status = work(session);
  if (status) {
    // The commit has no deadline of its own: it is one write, and half of one is not to be had.
    if (auto committed = connection.run("COMMIT", {}, Deadline::never(), nullptr); !committed)
      status = pass(committed.error());
  }
  if (!status) {
    // SQLite may have rolled back already (disk full); then this says "no transaction", which is what we want.
    [[maybe_unused]] const auto undone = connection.run("ROLLBACK", {}, Deadline::never(), nullptr);
    // The next borrower must not find itself inside of it. (In memory the connection is the database.)
    if (connection.in_transaction() && !parts_->in_memory) lease.poison("its transaction cannot be rolled back");
  }
  return status;
}

}  // namespace serin
