#pragma once
#include <cstdint>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin {

/// What a finished call means. Retry, budget, breaker and limits all read the same class.
enum class OutcomeClass : std::uint8_t {
  success,    ///< it worked
  transient,  ///< it may work when tried again
  throttled,  ///< the peer is there and says "later": try again, but slower; no sign of a broken peer
  timeout,    ///< nothing was heard in time; it may have been done
  permanent,  ///< trying again changes nothing; the peer is fine, so it counts as its success
  ignored,    ///< says nothing about the peer: the caller gave up, or a limit of our own said no
};
/// "success", "transient", ...: stable, in logs and metric labels.
[[nodiscard]] std::string_view outcome_class_name(OutcomeClass outcome) noexcept;
/// transient, throttled, timeout: another attempt may help.
[[nodiscard]] constexpr bool is_retryable(OutcomeClass outcome) noexcept {
  return outcome == OutcomeClass::transient || outcome == OutcomeClass::throttled || outcome == OutcomeClass::timeout;
}
/// transient, timeout: a breaker counts it against the peer.
[[nodiscard]] constexpr bool is_failure(OutcomeClass outcome) noexcept {
  return outcome == OutcomeClass::transient || outcome == OutcomeClass::timeout;
}

/// Whether a call may be made twice. Part of every call: who makes it knows, nobody else does.
enum class Idempotency : std::uint8_t {
  idempotent,      ///< twice is as good as once
  not_idempotent,  ///< only tried again when it was surely not executed
};

[[nodiscard]] OutcomeClass classify(Errc code) noexcept;
template <class T>
[[nodiscard]] OutcomeClass classify(const Result<T>& result) noexcept {
  return result ? OutcomeClass::success : classify(result.error().code());
}
/// Whether an error of this code means that the peer did nothing: our own limits and breakers said no.
[[nodiscard]] constexpr bool is_surely_not_executed(Errc code) noexcept { return code == Errc::rejected; }

// The tables. What is in none is permanent: an unknown error is not repeated blindly.

/// 2xx, 3xx success; 408, 504 timeout; 429, and 503 with Retry-After, throttled; 425, 500, 502, 503 transient; others
/// permanent.
[[nodiscard]] OutcomeClass classify_http(int status, bool has_retry_after = false) noexcept;
/// POSIX, which Asio's error codes carry: ECONNREFUSED, ECONNRESET, EPIPE, ... transient; ETIMEDOUT timeout; ECANCELED
/// ignored.
[[nodiscard]] OutcomeClass classify_errno(int error) noexcept;
/// Primary result codes: SQLITE_BUSY and SQLITE_LOCKED transient, SQLITE_INTERRUPT timeout.
[[nodiscard]] OutcomeClass classify_sqlite(int code) noexcept;
/// SQLSTATE: 08 connection, 40001, 40P01, 55P03, 57P01-57P03 transient; 53 throttled; 57014 timeout.
[[nodiscard]] OutcomeClass classify_postgres(std::string_view sqlstate) noexcept;
/// google.rpc.Code: 14 unavailable, 10 aborted, 13 internal transient; 8 resource exhausted throttled; 4 timeout; 1
/// ignored.
[[nodiscard]] OutcomeClass classify_google(int code) noexcept;

}  // namespace serin
