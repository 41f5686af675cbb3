#include "serin/outcome/outcome.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace serin {

std::string_view outcome_class_name(OutcomeClass outcome) noexcept {
  switch (outcome) {
    case OutcomeClass::success: return "success";
    case OutcomeClass::transient: return "transient";
    case OutcomeClass::throttled: return "throttled";
    case OutcomeClass::timeout: return "timeout";
    case OutcomeClass::permanent: return "permanent";
    case OutcomeClass::ignored: return "ignored";
  }
  return "permanent";
}

OutcomeClass classify(Errc code) noexcept {
  switch (code) {
    case Errc::unavailable: return OutcomeClass::transient;
    case Errc::deadline_exceeded: return OutcomeClass::timeout;
    case Errc::exhausted: return OutcomeClass::throttled;
    case Errc::rejected:
    case Errc::cancelled: return OutcomeClass::ignored;
    case Errc::invalid_argument:
    case Errc::not_found:
    case Errc::conflict:
    case Errc::permission_denied:
    case Errc::data_loss:
    case Errc::unsupported:
    case Errc::internal: return OutcomeClass::permanent;
  }
  return OutcomeClass::permanent;
}

OutcomeClass classify_http(int status, bool has_retry_after) noexcept {
  if (status >= 200 && status < 400) return OutcomeClass::success;
  switch (status) {
    case 408:
    case 504:
    case 522:
    case 524: return OutcomeClass::timeout;
    case 429: return OutcomeClass::throttled;
    case 503: return has_retry_after ? OutcomeClass::throttled : OutcomeClass::transient;
    case 425:
    case 500:
    case 502:
    case 520:
    case 521:
    case 523: return OutcomeClass::transient;
    case 499: return OutcomeClass::ignored;
    default: return OutcomeClass::permanent;
  }
}

OutcomeClass classify_errno(int error) noexcept {
  switch (error) {
    case 0: return OutcomeClass::success;
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENETDOWN:
    case ENETUNREACH:
    case ENETRESET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOTCONN:
    case ESHUTDOWN:
    case ESTALE:
    case EBUSY:
    case EAGAIN:
    case EINTR: return OutcomeClass::transient;
    case ETIME:
    case ETIMEDOUT: return OutcomeClass::timeout;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case EADDRNOTAVAIL:  // connect(): no local port is left
    case ENOMEM: return OutcomeClass::throttled;
    case ECANCELED: return OutcomeClass::ignored;
    default: return OutcomeClass::permanent;
  }
}

OutcomeClass classify_asio(std::string_view category, int code) noexcept {
  if (code == 0) return OutcomeClass::success;
  if (category == "system" || category == "generic") return classify_errno(code);
  // The numbers are those of boost/asio/error.hpp: misc 2 end of file, netdb 2 try again, addrinfo -3 EAI_AGAIN.
  if (category == "asio.misc" && code == 2) return OutcomeClass::transient;
  if (category == "asio.netdb" && code == 2) return OutcomeClass::transient;
  if (category == "asio.addrinfo" && code == -3) return OutcomeClass::transient;
  return OutcomeClass::permanent;
}

OutcomeClass classify_sqlite(int code) noexcept {
  // The numbers are part of SQLite's file of constants and never change. Extended: the primary code in the low byte.
  constexpr int busy_timeout = 5 | (3 << 8);
  if (code == busy_timeout) return OutcomeClass::timeout;
  switch (code & 0xff) {
    case 0:                                   // OK
    case 100:                                 // ROW
    case 101: return OutcomeClass::success;   // DONE
    case 5:                                   // BUSY
    case 6: return OutcomeClass::transient;   // LOCKED
    case 7: return OutcomeClass::throttled;   // NOMEM
    case 9: return OutcomeClass::timeout;     // INTERRUPT
    case 15: return OutcomeClass::transient;  // PROTOCOL: a race for the lock of a WAL file was lost
    default: return OutcomeClass::permanent;
  }
}

namespace {

struct Row {
  std::string_view word;
  OutcomeClass outcome;
};

constexpr std::array sqlstates{
    Row{"08P01", OutcomeClass::permanent},  // protocol violation
    Row{"25P03", OutcomeClass::timeout},    // idle in transaction
    Row{"40001", OutcomeClass::transient},  // serialization failure
    Row{"40P01", OutcomeClass::transient},  // deadlock detected
    Row{"53100", OutcomeClass::permanent},  // disk full
    Row{"55006", OutcomeClass::transient},  // object in use
    Row{"55P03", OutcomeClass::transient},  // lock not available
    Row{"57014", OutcomeClass::timeout},    // query canceled, by statement_timeout as a rule
    Row{"57P01", OutcomeClass::transient},  // admin shutdown
    Row{"57P02", OutcomeClass::transient},  // crash shutdown
    Row{"57P03", OutcomeClass::transient},  // cannot connect now
    Row{"57P05", OutcomeClass::timeout},    // idle session
};
constexpr std::array sqlstate_classes{
    Row{"00", OutcomeClass::success},   Row{"01", OutcomeClass::success},   Row{"02", OutcomeClass::success},
    Row{"08", OutcomeClass::transient}, Row{"53", OutcomeClass::throttled},
};
constexpr std::array google_reasons{
    Row{"rateLimitExceeded", OutcomeClass::throttled},
    Row{"userRateLimitExceeded", OutcomeClass::throttled},
    Row{"concurrentLimitExceeded", OutcomeClass::throttled},
    Row{"RATE_LIMIT_EXCEEDED", OutcomeClass::throttled},
    Row{"RESOURCE_EXHAUSTED", OutcomeClass::throttled},
    Row{"backendError", OutcomeClass::transient},
    Row{"internalError", OutcomeClass::transient},
    Row{"jobBackendError", OutcomeClass::transient},
    Row{"jobInternalError", OutcomeClass::transient},
    Row{"jobRateLimitExceeded", OutcomeClass::throttled},
    Row{"tableUnavailable", OutcomeClass::transient},
    Row{"transientError", OutcomeClass::transient},
    Row{"backendNotConnected", OutcomeClass::transient},
    Row{"badGateway", OutcomeClass::transient},
    Row{"serviceUnavailable", OutcomeClass::transient},
    Row{"UNAVAILABLE", OutcomeClass::transient},
    Row{"INTERNAL", OutcomeClass::transient},
    Row{"ABORTED", OutcomeClass::transient},
    Row{"timeout", OutcomeClass::timeout},
    Row{"gatewayTimeout", OutcomeClass::timeout},
    Row{"requestTimeout", OutcomeClass::timeout},
    Row{"DEADLINE_EXCEEDED", OutcomeClass::timeout},
    Row{"stopped", OutcomeClass::ignored},  // BigQuery: somebody cancelled the job
    Row{"CANCELLED", OutcomeClass::ignored},
};

template <std::size_t n>
OutcomeClass find(const std::array<Row, n>& rows, std::string_view word, OutcomeClass otherwise) {
  const auto found = std::ranges::find(rows, word, &Row::word);
  return found == rows.end() ? otherwise : found->outcome;
}

}  // namespace

OutcomeClass classify_postgres(std::string_view sqlstate) noexcept {
  if (sqlstate.size() != 5) return OutcomeClass::permanent;
  return find(sqlstates, sqlstate, find(sqlstate_classes, sqlstate.substr(0, 2), OutcomeClass::permanent));
}

OutcomeClass classify_google(int code) noexcept {
  switch (code) {
    case 0: return OutcomeClass::success;
    case 1: return OutcomeClass::ignored;     // cancelled
    case 4: return OutcomeClass::timeout;     // deadline exceeded
    case 8: return OutcomeClass::throttled;   // resource exhausted
    case 10:                                  // aborted
    case 13:                                  // internal
    case 14: return OutcomeClass::transient;  // unavailable
    default: return OutcomeClass::permanent;
  }
}

OutcomeClass classify_google_reason(std::string_view reason) noexcept {
  return find(google_reasons, reason, OutcomeClass::permanent);
}

}  // namespace serin
