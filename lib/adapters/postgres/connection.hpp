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
  /// Connects when it is not connected. Errors: unavailable, permission_denied, not_found, deadline_exceeded.
  Status ready(Deadline deadline);
  struct Answer {
    SqlTable table;
    std::int64_t changed = 0;
  };
  /// One statement. After an error that is not the statement's own the connection is closed and made anew next time.
  Result<Answer> run(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline);
  void close() noexcept { connection_.reset(); }

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
