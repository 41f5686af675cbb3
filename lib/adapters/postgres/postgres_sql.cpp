#include "serin/postgres/postgres_sql.hpp"

#include <fmt/format.h>

#include "connection.hpp"
#include "dialect.hpp"
#include "serin/system/lender.hpp"

namespace serin {
namespace {

using postgres::Connection;

constexpr std::string_view what = "database connection";
// One writer at a time in each database, as with SQLite. The number only has to be the same in every Serin.
constexpr std::string_view take_turn = "SELECT pg_advisory_xact_lock(7233137)";

class Session final : public SqlSession {
 public:
  Session(Connection& connection, Deadline deadline) : connection_(connection), deadline_(deadline) {}
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters) override {
    SERIN_TRY(Connection::Answer answer, connection_.run(postgres::translated(sql), parameters, deadline_));
    return std::move(answer.table);
  }
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters) override {
    SERIN_TRY(const Connection::Answer answer, connection_.run(postgres::translated(sql), parameters, deadline_));
    return answer.changed;
  }

 private:
  Connection& connection_;
  Deadline deadline_;
};

}  // namespace

struct PostgresSql::Parts {
  explicit Parts(const Clock& given) : clock(given) {}
  const Clock& clock;
  Lender<Connection> connections;
};

PostgresSql::PostgresSql(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PostgresSql::~PostgresSql() = default;

Result<std::unique_ptr<PostgresSql>> PostgresSql::open(PostgresOptions options, const Clock& clock) {
  if (!options.url.starts_with("postgres://") && !options.url.starts_with("postgresql://"))
    return fail(Errc::invalid_argument, "a PostgreSQL address begins with postgres://");
  if (options.connections < 1 || options.connections > 64)
    return fail(Errc::invalid_argument, fmt::format("connections must be 1 to 64, not {}", options.connections));
  if (options.connect_timeout <= 0s) return fail(Errc::invalid_argument, "connect_timeout must be above 0");
  auto parts = std::make_unique<Parts>(clock);
  auto first = std::make_unique<Connection>(options.url, options.connect_timeout, clock, options.read_only);
  SERIN_CHECK(first->ready(Deadline::after(clock.now(), options.connect_timeout)));
  for (int i = 1; i < options.connections; ++i)
    parts->connections.add(
        std::make_unique<Connection>(options.url, options.connect_timeout, clock, options.read_only));
  parts->connections.add(std::move(first));  // lent first
  return std::unique_ptr<PostgresSql>(new PostgresSql(std::move(parts)));
}

Result<SqlTable> PostgresSql::query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  SERIN_TRY(auto taken, parts_->connections.take(deadline, parts_->clock, what));
  const Lent<Connection> lent(parts_->connections, std::move(taken));
  return Session(*lent.thing, deadline).query(sql, parameters);
}

Result<std::int64_t> PostgresSql::execute(std::string_view sql, std::span<const SqlValue> parameters,
                                          Deadline deadline) {
  SERIN_TRY(auto taken, parts_->connections.take(deadline, parts_->clock, what));
  const Lent<Connection> lent(parts_->connections, std::move(taken));
  return Session(*lent.thing, deadline).execute(sql, parameters);
}

Status PostgresSql::transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) {
  SERIN_TRY(auto taken, parts_->connections.take(deadline, parts_->clock, what));
  const Lent<Connection> lent(parts_->connections, std::move(taken));
  Connection& connection = *lent.thing;
  Status status;
  const auto begun = [&]() -> Status {
    SERIN_CHECK(connection.run("BEGIN", {}, deadline));
    SERIN_CHECK(connection.run(take_turn, {}, deadline));
    return {};
  }();
  if (!begun) {
    connection.close();  // whatever was begun ends with it
    return begun;
  }
  Session session(connection, deadline);
  status = work(session);
  if (status) {
    // The commit has the deadline of a connection's life: it is one write, and half of one is not to be had.
    if (const auto committed = connection.run("COMMIT", {}, Deadline::after(parts_->clock.now(), 60s)); !committed)
      status = pass(committed.error());
  }
  // A connection that is gone took its transaction along.
  if (!status && !connection.run("ROLLBACK", {}, Deadline::after(parts_->clock.now(), 5s))) connection.close();
  return status;
}

}  // namespace serin
