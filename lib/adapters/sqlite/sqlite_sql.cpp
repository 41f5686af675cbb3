#include "serin/sqlite/sqlite_sql.hpp"

#include <fmt/format.h>

#include "connection.hpp"
#include "serin/system/lender.hpp"

namespace serin {
namespace {

using sqlite::Connection;

constexpr std::string_view what = "database connection";

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
  Lender<Connection> readers;
  Lender<Connection> writer;
  bool in_memory;
  bool read_only;
  bool native_scan = true;
};

SqliteSql::SqliteSql(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SqliteSql::~SqliteSql() = default;
bool SqliteSql::scans_natively() const { return parts_->native_scan; }

Result<std::unique_ptr<SqliteSql>> SqliteSql::open(SqliteOptions options, Clock& clock) {
  if (options.path.empty()) return fail(Errc::invalid_argument, "a database needs a path");
  if (options.read_connections < 1 || options.read_connections > 64)
    return fail(Errc::invalid_argument,
                fmt::format("read_connections must be 1 to 64, not {}", options.read_connections));
  auto parts = std::make_unique<Parts>(clock, options.path == ":memory:", options.read_only);
  if (parts->in_memory && parts->read_only)
    return fail(Errc::invalid_argument, "a database in memory begins empty: it cannot be read only");
  parts->native_scan = options.native_scan;
  if (!parts->read_only) {
    SERIN_TRY(auto writer,
              Connection::open(options.path, {.create = options.create, .sort_on_disk = options.sort_on_disk}, clock));
    parts->writer.add(std::move(writer));
  }
  for (int i = 0; !parts->in_memory && i < options.read_connections; ++i) {
    SERIN_TRY(auto reader,
              Connection::open(options.path, {.read_only = true, .sort_on_disk = options.sort_on_disk}, clock));
    parts->readers.add(std::move(reader));
  }
  return std::unique_ptr<SqliteSql>(new SqliteSql(std::move(parts)));
}

Result<SqlTable> SqliteSql::query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  // A private database in memory has one connection; so has a statement that writes and returns rows.
  const std::string_view word = sql.substr(std::min(sql.find_first_not_of(" \t\r\n"), sql.size()), 6);
  const bool reads = word == "SELECT" || word == "select" || word.starts_with("WITH") || word.starts_with("with");
  Lender<Connection>& pool = parts_->read_only || (reads && !parts_->in_memory) ? parts_->readers : parts_->writer;
  SERIN_TRY(auto connection, pool.take(deadline, parts_->clock, what));
  const Lent<Connection> lease(pool, std::move(connection));
  SqlTable table;
  SERIN_CHECK(lease.thing->run(sql, parameters, deadline, &table));
  return table;
}

Result<std::int64_t> SqliteSql::execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  if (parts_->read_only) return fail(Errc::permission_denied, "the database was opened for reading only");
  SERIN_TRY(auto connection, parts_->writer.take(deadline, parts_->clock, what));
  const Lent<Connection> lease(parts_->writer, std::move(connection));
  return lease.thing->run(sql, parameters, deadline, nullptr);
}

Status SqliteSql::transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) {
  if (parts_->read_only) return fail(Errc::permission_denied, "the database was opened for reading only");
  SERIN_TRY(auto taken, parts_->writer.take(deadline, parts_->clock, what));
  const Lent<Connection> lease(parts_->writer, std::move(taken));
  Connection& connection = *lease.thing;
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
  }
  return status;
}

}  // namespace serin
