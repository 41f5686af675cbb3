#include "connection.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "serin/base/text.hpp"
#include "values.hpp"

namespace serin::postgres {
namespace {

/// libpq's sentences end in line breaks and repeat themselves over several lines.
std::string sentence_of(const char* message) {
  std::string text(trim(message == nullptr ? "" : message));
  std::ranges::replace(text, '\n', ' ');
  return text;
}

/// Milliseconds for poll(): rounded up, so that it is not early; at least 1, and at most 200, because a clock may be
/// told meanwhile that its owner wants to end.
int poll_time(Deadline deadline, Instant now) {
  return static_cast<int>(std::clamp<std::int64_t>(deadline.left(now) / 1ms + 1, 1, 200));
}

/// After these there is no session: connection exceptions, and a server that shuts down or starts.
bool ends_session(std::string_view sqlstate) noexcept {
  return sqlstate.starts_with("08") || sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03";
}

/// Unused for less, a connection is judged by its socket alone.
constexpr Duration trusted_for = 500ms;

}  // namespace

Errc errc_of(std::string_view sqlstate) noexcept {
  const std::string_view family = sqlstate.substr(0, 2);
  if (sqlstate == "57014") return Errc::deadline_exceeded;                                          // cancelled
  if (sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03") return Errc::unavailable;  // somebody's lock
  if (family == "08" || family == "57") return Errc::unavailable;  // gone, shutting down, starting
  if (family == "53") return Errc::exhausted;
  if (family == "23") return Errc::conflict;
  if (family == "28" || sqlstate == "42501" || family == "25") return Errc::permission_denied;
  if (sqlstate == "3D000") return Errc::not_found;
  if (family == "XX" || family == "58") return Errc::data_loss;
  return Errc::invalid_argument;
}

std::unexpected<Error> Connection::broken(std::string_view what) {
  std::string text = fmt::format("{}: {}", what, sentence_of(PQerrorMessage(connection_.get())));
  close();
  return fail(Errc::unavailable, std::move(text));
}

std::unexpected<Error> Connection::late(std::string_view what) {
  if (PQstatus(connection_.get()) == CONNECTION_OK) {
    // The server stops working for somebody who is gone. It has its own connection for that and may block for a moment.
    if (PGcancel* const cancel = PQgetCancel(connection_.get())) {
      std::array<char, 256> ignored{};
      PQcancel(cancel, ignored.data(), static_cast<int>(ignored.size()));
      PQfreeCancel(cancel);
    }
  }
  close();
  return fail(Errc::deadline_exceeded, fmt::format("{}: not done before the deadline", what));
}

Status Connection::wait(bool for_reading, Deadline deadline) {
  pollfd state{
      .fd = PQsocket(connection_.get()), .events = static_cast<short>(for_reading ? POLLIN : POLLOUT), .revents = 0};
  for (;;) {
    const Instant now = clock_.now();
    if (deadline.passed(now)) return late("PostgreSQL");
    const int ready = ::poll(&state, 1, poll_time(deadline, now));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return broken("poll");
  }
}

Status Connection::connect(Deadline deadline) {
  const Deadline until = deadline.sooner(Deadline::after(clock_.now(), connect_timeout_));
  connection_.reset(PQconnectStart(url_.c_str()));
  if (!connection_) return fail(Errc::exhausted, "PostgreSQL: out of memory");
  for (PostgresPollingStatusType step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK;
       step = PQconnectPoll(connection_.get())) {
    if (PQstatus(connection_.get()) == CONNECTION_BAD || step == PGRES_POLLING_FAILED) {
      const std::string text = sentence_of(PQerrorMessage(connection_.get()));
      close();
      // There is no code before a connection; the words are those of libpq and the server in every version.
      if (text.find("does not exist") != std::string::npos && text.find("database") != std::string::npos)
        return fail(Errc::not_found, text);
      if (text.find("authentication failed") != std::string::npos ||
          text.find("no password supplied") != std::string::npos)
        return fail(Errc::permission_denied, text);
      return fail(Errc::unavailable, text);
    }
    SERIN_CHECK(wait(step == PGRES_POLLING_READING, until));
  }
  if (PQsetnonblocking(connection_.get(), 1) != 0) return broken("connect");
  // Notices are for people at a prompt.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  return set_up(until);
}

/// What every session of ours is like, whatever the server's own file says: times without a zone are UTC.
Status Connection::set_up(Deadline deadline) {
  SERIN_CHECK(send(fmt::format("SELECT set_config('TimeZone', 'UTC', false), "
                               "set_config('default_transaction_read_only', '{}', false)",
                               read_only_ ? "on" : "off"),
                   {}, deadline));
  for (;;) {
    SERIN_TRY(const auto result, receive(deadline));
    if (!result) return {};
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return broken("connect");
  }
}

Status Connection::send(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  const Parameters bound(parameters);
  const std::string text(sql);
  if (PQsendQueryParams(connection_.get(), text.c_str(), bound.count(), nullptr, bound.values(), bound.lengths(),
                        bound.formats(), 0) == 0)
    return broken("send");
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left == 0) return {};
    if (left < 0) return broken("send");
    SERIN_CHECK(wait(false, deadline));
    // What the server says meanwhile has to be read, or both wait for each other.
    if (PQconsumeInput(connection_.get()) == 0) return broken("send");
  }
}

Result<std::unique_ptr<PGresult, Connection::Clear>> Connection::receive(Deadline deadline) {
  while (PQisBusy(connection_.get()) != 0) {
    SERIN_CHECK(wait(true, deadline));
    if (PQconsumeInput(connection_.get()) == 0) return broken("receive");
  }
  return std::unique_ptr<PGresult, Clear>(PQgetResult(connection_.get()));
}

Status Connection::check(Duration idle, Deadline deadline) {
  if (!is_open() || PQstatus(connection_.get()) != CONNECTION_OK)
    return fail(Errc::unavailable, "the connection to PostgreSQL was lost");
  if (in_transaction()) return fail(Errc::internal, "a borrower left its transaction open");  // it threw
  pollfd state{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  const bool speaks = ::poll(&state, 1, 0) != 0;
  // A server that speaks unasked says that it is going, or something harmless: its answer tells which.
  if (speaks && PQconsumeInput(connection_.get()) == 0) return broken("check");
  if (!speaks && idle <= trusted_for) return {};
  SERIN_CHECK(send("", {}, deadline));
  for (bool answered = false;; answered = true) {
    SERIN_TRY(const auto result, receive(deadline));
    if (!result) return answered ? Status() : broken("check");
    if (PQresultStatus(result.get()) != PGRES_EMPTY_QUERY) return broken("check");
  }
}

Result<Connection::Answer> Connection::run(std::string_view sql, std::span<const SqlValue> parameters,
                                           Deadline deadline) {
  if (deadline.passed(clock_.now()))
    return fail(Errc::deadline_exceeded, "the deadline passed before the statement ran");
  if (sql.find('\0') != std::string_view::npos)
    return fail(Errc::invalid_argument, "a statement must not hold a NUL character");
  if (!is_open()) return fail(Errc::unavailable, "the connection to PostgreSQL was lost");
  SERIN_CHECK(send(sql, parameters, deadline));
  Answer answer;
  std::optional<Error> failed;
  bool lost = false;
  // Until there is no further result: only then the connection can be used again.
  for (;;) {
    SERIN_TRY(const auto result, receive(deadline));
    if (!result) break;
    switch (PQresultStatus(result.get())) {
      case PGRES_TUPLES_OK: {
        SERIN_TRY(answer.table, table_of(*result));
        answer.changed = 0;
        break;
      }
      case PGRES_COMMAND_OK: answer.changed = to_int(PQcmdTuples(result.get())).value_or(0); break;
      case PGRES_EMPTY_QUERY: failed = fail(Errc::invalid_argument, "no statement in the text").error(); break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH: close(); return fail(Errc::unsupported, "COPY is not offered here");
      default: {
        const char* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
        lost = lost || (state != nullptr && ends_session(state));
        const Errc code = state == nullptr ? Errc::unavailable : errc_of(state);
        failed = fail(code, fmt::format("statement: {}{}", sentence_of(PQresultErrorMessage(result.get())),
                                        state == nullptr ? std::string() : fmt::format(" ({})", state)))
                     .error();
      }
    }
  }
  if (lost || PQstatus(connection_.get()) != CONNECTION_OK) close();
  if (failed) return pass(*failed);
  return answer;
}

}  // namespace serin::postgres
