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

/// 2xx, 3xx success; 408, 504 and the gateways' 522, 524 timeout; 429, and 503 with Retry-After, throttled; 425, 500,
/// 502, 503, 520, 521, 523 transient; 499 ignored; others permanent (421, 501, 505, 507 and 511 too: the same call
/// meets them again). Sources: RFC 9110, RFC 6585, RFC 8470; Cloudflare's list for 52x.
[[nodiscard]] OutcomeClass classify_http(int status, bool has_retry_after = false) noexcept;
/// POSIX, which Asio's system category carries: refused, reset, unreachable, no route, would block, interrupted, busy
/// transient; ETIMEDOUT, ETIME timeout; out of descriptors, ports, buffers or memory throttled; ECANCELED ignored.
[[nodiscard]] OutcomeClass classify_errno(int error) noexcept;
/// Asio's categories beside the system's: "asio.misc" (end of file in the middle of an answer), "asio.netdb" (try
/// again) and "asio.addrinfo"; "system" goes to classify_errno(). \param category  as error_code::category().name()
/// says it
[[nodiscard]] OutcomeClass classify_asio(std::string_view category, int code) noexcept;
/// Result codes, extended ones too: SQLITE_BUSY (BUSY_SNAPSHOT too: the transaction is what is repeated), LOCKED and
/// PROTOCOL transient; BUSY_TIMEOUT and INTERRUPT timeout; NOMEM throttled. Source: sqlite.org/rescode.html.
[[nodiscard]] OutcomeClass classify_sqlite(int code) noexcept;
/// SQLSTATE: 08 connection (but 08P01, a protocol violation), 40001, 40P01, 55006, 55P03, 57P01-57P03 transient; 53
/// throttled, but 53100 (disk full) permanent; 57014, 25P03, 57P05 timeout. Source: PostgreSQL 18, appendix A.
[[nodiscard]] OutcomeClass classify_postgres(std::string_view sqlstate) noexcept;
/// google.rpc.Code: 14 unavailable, 10 aborted, 13 internal transient; 8 resource exhausted throttled; 4 timeout; 1
/// ignored.
[[nodiscard]] OutcomeClass classify_google(int code) noexcept;

/// The `reason` of a Google API's JSON error: rateLimitExceeded, userRateLimitExceeded, ... throttled; quotas of a day
/// or more (quotaExceeded, dailyLimitExceeded) permanent, as no wait of ours outlasts them; backendError,
/// internalError, ... transient. Sources: BigQuery's error table, the resolve-errors pages of Drive, Gmail and
/// Calendar.
[[nodiscard]] OutcomeClass classify_google_reason(std::string_view reason) noexcept;

}  // namespace serin
