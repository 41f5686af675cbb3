#include "serin/outcome/outcome.hpp"

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
    case 504: return OutcomeClass::timeout;
    case 429: return OutcomeClass::throttled;
    case 503: return has_retry_after ? OutcomeClass::throttled : OutcomeClass::transient;
    case 425:
    case 500:
    case 502: return OutcomeClass::transient;
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
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOTCONN:
    case EAGAIN:
    case EINTR: return OutcomeClass::transient;
    case ETIMEDOUT: return OutcomeClass::timeout;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return OutcomeClass::throttled;
    case ECANCELED: return OutcomeClass::ignored;
    default: return OutcomeClass::permanent;
  }
}

OutcomeClass classify_sqlite(int code) noexcept {
  // The numbers are part of SQLite's file of constants and never change: 5 BUSY, 6 LOCKED, 7 NOMEM, 9 INTERRUPT.
  switch (code & 0xff) {
    case 0:
    case 100:
    case 101: return OutcomeClass::success;
    case 5:
    case 6: return OutcomeClass::transient;
    case 7: return OutcomeClass::throttled;
    case 9: return OutcomeClass::timeout;
    default: return OutcomeClass::permanent;
  }
}

OutcomeClass classify_postgres(std::string_view sqlstate) noexcept {
  if (sqlstate == "57014") return OutcomeClass::timeout;
  if (sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03" || sqlstate == "57P01" || sqlstate == "57P02" ||
      sqlstate == "57P03")
    return OutcomeClass::transient;
  const std::string_view family = sqlstate.substr(0, 2);
  if (family == "00" || family == "01" || family == "02") return OutcomeClass::success;
  if (family == "08") return OutcomeClass::transient;
  if (family == "53") return OutcomeClass::throttled;
  return OutcomeClass::permanent;
}

OutcomeClass classify_google(int code) noexcept {
  switch (code) {
    case 0: return OutcomeClass::success;
    case 1: return OutcomeClass::ignored;
    case 4: return OutcomeClass::timeout;
    case 8: return OutcomeClass::throttled;
    case 10:
    case 13:
    case 14: return OutcomeClass::transient;
    default: return OutcomeClass::permanent;
  }
}

}  // namespace serin
