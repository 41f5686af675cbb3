#pragma once
#include <libpq-fe.h>

#include <memory>
#include <span>
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

// Private to the module.
namespace serin::postgres {

/// One connection, used without blocking so that every step keeps its deadline. Threads: one at a time.
class Connection {
 public:
  Connection(std::string url, Duration connect_timeout, const Clock& clock, bool read_only = false)
      : url_(std::move(url)), connect_timeout_(connect_timeout), read_only_(read_only), clock_(clock) {}
  /// Errors: unavailable, permission_denied, not_found, deadline_exceeded.
  Status connect(Deadline deadline);
  struct Answer {
    SqlTable table;
    std::int64_t changed = 0;
  };
  /// One statement. After an error that is not the statement's own the connection is closed for good: nothing that
  /// follows may run outside of a transaction that was lost with it. Errors: the statement's; unavailable.
  Result<Answer> run(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline);
  void close() noexcept { connection_.reset(); }
  [[nodiscard]] bool is_open() const noexcept { return connection_ != nullptr; }
  [[nodiscard]] bool in_transaction() const noexcept {
    return is_open() && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE;
  }
  /// Whether it lives: what its socket says, and when it was unused for a while an empty statement, which is a round
  /// trip and no more. Errors: unavailable, deadline_exceeded; it is closed then.
  Status check(Duration idle, Deadline deadline);

 private:
  struct Close {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
  };
  Status wait(bool for_reading, Deadline deadline);
  Status set_up(Deadline deadline);
  Status send(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline);
  Result<std::unique_ptr<PGresult, Clear>> receive(Deadline deadline);
  std::unexpected<Error> broken(std::string_view what);
  std::unexpected<Error> late(std::string_view what);

  std::string url_;
  Duration connect_timeout_;
  bool read_only_;
  const Clock& clock_;
  std::unique_ptr<PGconn, Close> connection_;
};

/// What an SQLSTATE means to a caller. Pure.
[[nodiscard]] Errc errc_of(std::string_view sqlstate) noexcept;

}  // namespace serin::postgres
