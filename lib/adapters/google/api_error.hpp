#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"

namespace serin::google {

/// What a Google service said instead of an answer. Plain data. Texts are what the service wrote, without secrets that
/// have a name (base/redact.hpp).
struct ApiError {
  int http_status = 0;      ///< 0: nothing was heard
  std::string status;       ///< "PERMISSION_DENIED"; empty when the body names none
  std::string reason;       ///< errors[0].reason ("rateLimitExceeded"), or OAuth's `error` ("invalid_grant")
  std::string info_reason;  ///< reason of google.rpc.ErrorInfo ("SERVICE_DISABLED")
  std::string message;      ///< at most 600 bytes
  std::optional<Duration> retry_delay = {};  ///< google.rpc.RetryInfo
  std::optional<Duration> retry_after = {};  ///< the longer of Retry-After and retry_delay
  OutcomeClass outcome = OutcomeClass::permanent;
  /// The service says that it did nothing, so that even what must not be done twice may be tried again: throttled.
  [[nodiscard]] bool surely_not_executed() const noexcept {
    return outcome == OutcomeClass::throttled && http_status != 503;
  }
};

/// Reads an error's body in any of the forms there are: {"error":{...}}, the same in an array (streams), OAuth's
/// {"error":"..","error_description":".."}; HTML or nothing leaves only the status. Sets everything but retry_after.
/// Pure.
[[nodiscard]] ApiError read_error(int http_status, std::string_view body);

/// By what the body says first, as 403 is "rateLimitExceeded" too, then by status, then by HTTP's own number. A quota
/// of a day, a missing right or a bad request are permanent whatever number comes with them. Pure.
[[nodiscard]] OutcomeClass classify(const ApiError& error, bool has_retry_after = false) noexcept;

/// transient: unavailable; throttled: exhausted; timeout: deadline_exceeded; 401, 403: permission_denied; 404:
/// not_found; 409, 412, FAILED_PRECONDITION, ABORTED: conflict; 501: unsupported; other 4xx: invalid_argument. Pure.
[[nodiscard]] Errc code_of(const ApiError& error) noexcept;

/// "403 PERMISSION_DENIED (accessDenied): Permission ... denied".
[[nodiscard]] std::string describe(const ApiError& error);

}  // namespace serin::google
