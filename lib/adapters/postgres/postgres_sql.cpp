#include "serin/postgres/postgres_sql.hpp"

#include <fmt/format.h>

#include "connection.hpp"
#include "dialect.hpp"
#include "serin/pool/pool.hpp"
#include "serin/ports/sql_address.hpp"
#include "serin/system/random.hpp"

namespace serin {
namespace {

using postgres::Connection;

using Pool = pool::Pool<Connection>;
using Lease = pool::Lease<Connection>;

// One writer at a time in each database, as with SQLite. The number only has to be the same in every Serin.
constexpr Duration commit_timeout = 60s;
constexpr Duration rollback_timeout = 5s;
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

constexpr Duration held_for_long = 60s;

/// What the next borrower must not get: a connection that is gone, or one inside of a transaction.
void tidy_up(Lease& lease, const Clock& clock) {
  // A connection that is gone took its transaction along.
  if (lease->in_transaction())
    static_cast<void>(lease->run("ROLLBACK", {}, Deadline::after(clock.now(), rollback_timeout)));
  if (!lease->is_open())
    lease.poison("the connection was lost");
  else if (lease->in_transaction())
    lease.poison("its transaction cannot be rolled back");
}

}  // namespace

struct PostgresSql::Parts {
  explicit Parts(const Clock& given) : clock(given) {}
  const Clock& clock;
  SystemRandom random;
  bool reuse = true;
  std::unique_ptr<Pool> connections;

  Result<Lease> borrow(Deadline deadline) {
    SERIN_TRY(auto lease, connections->borrow(deadline));
    if (!reuse) lease.poison("none is used twice");
    return lease;
  }
};

PostgresSql::PostgresSql(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PostgresSql::~PostgresSql() = default;

Result<std::unique_ptr<PostgresSql>> PostgresSql::open(PostgresOptions options, const Clock& clock, LogSink* log) {
  if (!is_postgres_address(options.url))
    return fail(Errc::invalid_argument, "a PostgreSQL address begins with postgres://");
  if (options.connections < 1 || options.connections > 64)
    return fail(Errc::invalid_argument, fmt::format("connections must be 1 to 64, not {}", options.connections));
  if (options.connect_timeout <= 0s) return fail(Errc::invalid_argument, "connect_timeout must be above 0");
  auto parts = std::make_unique<Parts>(clock);
  parts->reuse = options.reuse;
  pool::Factory<Connection> factory;
  factory.create = [options, &clock](Deadline deadline, const std::stop_token&) -> Result<std::unique_ptr<Connection>> {
    auto made = std::make_unique<Connection>(options.url, options.connect_timeout, clock, options.read_only);
    SERIN_CHECK(made->connect(deadline));
    return made;
  };
  factory.validate = [](Connection& connection, Duration idle, Deadline deadline) {
    return connection.check(idle, deadline);
  };
  SERIN_TRY(parts->connections, Pool::make({.name = "database connection",
                                            .max = options.connections,
                                            .borrow_timeout = 24h,  // a caller's deadline is what counts
                                            .wait_queue = 1000,
                                            .create_timeout = options.connect_timeout,
                                            .validate_after = 0s,  // a look at the socket costs next to nothing
                                            .leak_after = held_for_long,
                                            .most_backoff = 1s,
                                            .when_down = pool::WhenDown::fail},
                                           std::move(factory), clock, parts->random, log));
  SERIN_CHECK(parts->connections->warm_up(1, Deadline::after(clock.now(), options.connect_timeout)));
  return std::unique_ptr<PostgresSql>(new PostgresSql(std::move(parts)));
}

Result<SqlTable> PostgresSql::query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  SERIN_TRY(auto lease, parts_->borrow(deadline));
  auto answer = Session(*lease, deadline).query(sql, parameters);
  tidy_up(lease, parts_->clock);
  return answer;
}

Result<std::int64_t> PostgresSql::execute(std::string_view sql, std::span<const SqlValue> parameters,
                                          Deadline deadline) {
  SERIN_TRY(auto lease, parts_->borrow(deadline));
  auto answer = Session(*lease, deadline).execute(sql, parameters);
  tidy_up(lease, parts_->clock);
  return answer;
}

Status PostgresSql::transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) {
  SERIN_TRY(auto lease, parts_->borrow(deadline));
  Connection& connection = *lease;
  const auto inside = [&]() -> Status {
    SERIN_CHECK(connection.run("BEGIN", {}, deadline));
    SERIN_CHECK(connection.run(take_turn, {}, deadline));
    Session session(connection, deadline);
    SERIN_CHECK(work(session));
    // The commit has the deadline of a connection's life: it is one write, and half of one is not to be had.
    SERIN_CHECK(connection.run("COMMIT", {}, Deadline::after(parts_->clock.now(), commit_timeout)));
    return {};
  };
  Status status = inside();
  tidy_up(lease, parts_->clock);  // rolls back what was not committed
  return status;
}

std::vector<pool::NamedStats> PostgresSql::pools() const { return {{"connections", parts_->connections->stats()}}; }

}  // namespace serin
