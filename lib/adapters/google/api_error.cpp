#include "serin/google/api_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "serin/google/detail_json.hpp"
#include "serin/base/redact.hpp"
#include "serin/base/text.hpp"

namespace serin::google {
namespace json = boost::json;
namespace {

/// One line, without control characters and without a piece of a UTF-8 sequence at its end.
std::string readable(std::string_view text) {
  constexpr std::size_t most = 600;
  std::string out = redact(text.substr(0, 4 * most));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  if (out.size() <= most) return out;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
  out.resize(end);
  return out + "...";
}

/// Names as services write them: a word of letters, digits, "_-.". What is something else is dropped: names go into
/// metrics and are compared.
std::string word(std::string text) {
  const bool is_word = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
  return is_word && text.size() <= 80 ? std::move(text) : std::string();
}

void read_details(const json::object& error, ApiError& out) {
  for (const json::value& detail : array_of(error, "details")) {
    const json::object* const object = detail.if_object();
    if (object == nullptr) continue;
    const std::string type = text_of(*object, "@type");
    if (type.ends_with("google.rpc.RetryInfo")) out.retry_delay = parse_proto_duration(text_of(*object, "retryDelay"));
    if (type.ends_with("google.rpc.ErrorInfo") && out.info_reason.empty())
      out.info_reason = word(text_of(*object, "reason"));
  }
}

void read_object(const json::object& body, ApiError& out) {
  if (const json::object* const error = object_of(body, "error")) {
    out.status = word(text_of(*error, "status"));
    out.message = readable(text_of(*error, "message"));
    const json::array& errors = array_of(*error, "errors");
    if (!errors.empty() && errors.front().is_object()) {
      out.reason = word(text_of(errors.front().get_object(), "reason"));
      if (out.message.empty()) out.message = readable(text_of(errors.front().get_object(), "message"));
    }
    return read_details(*error, out);
  }
  out.reason = word(text_of(body, "error"));
  out.message = readable(text_of(body, "error_description"));
}

// Which numbers come with them differs from service to service; what they mean does not.
constexpr std::array permanent_reasons{std::string_view("accessDenied"),
                                       std::string_view("billingNotEnabled"),
                                       std::string_view("billingTierLimitExceeded"),
                                       std::string_view("quotaExceeded"),
                                       std::string_view("dailyLimitExceeded"),
                                       std::string_view("dailyLimitExceededUnreg"),
                                       std::string_view("responseTooLarge"),
                                       std::string_view("notFound"),
                                       std::string_view("invalid"),
                                       std::string_view("invalidQuery"),
                                       std::string_view("invalidUser"),
                                       std::string_view("duplicate"),
                                       std::string_view("blocked"),
                                       std::string_view("insufficientPermissions"),
                                       std::string_view("forbidden"),
                                       std::string_view("authError"),
                                       std::string_view("required"),
                                       std::string_view("conditionNotMet"),
                                       std::string_view("SERVICE_DISABLED"),
                                       std::string_view("BILLING_DISABLED"),
                                       std::string_view("API_KEY_INVALID"),
                                       std::string_view("CONSUMER_INVALID"),
                                       std::string_view("CONSUMER_SUSPENDED"),
                                       std::string_view("IAM_PERMISSION_DENIED"),
                                       std::string_view("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
                                       std::string_view("USER_PROJECT_DENIED"),
                                       std::string_view("invalid_grant"),
                                       std::string_view("invalid_client"),
                                       std::string_view("unauthorized_client"),
                                       std::string_view("invalid_scope"),
                                       std::string_view("access_denied"),
                                       std::string_view("invalid_request")};

bool is_permanent(std::string_view reason) noexcept {
  return std::ranges::find(permanent_reasons, reason) != permanent_reasons.end();
}

}  // namespace

ApiError read_error(int http_status, std::string_view body) {
  ApiError out{.http_status = http_status};
  // A body of this size is no error that Google writes, and a proxy's page needs no reading.
  const bool may_be_json = body.size() <= (1u << 20) && !trim(body).empty();
  const Result<json::value> value =
      may_be_json ? parse_json(body, "the error") : Result<json::value>(json::value(nullptr));
  const json::value* found = value ? &*value : nullptr;
  if (found != nullptr && found->is_array() && !found->get_array().empty()) found = &found->get_array().front();
  if (found != nullptr && found->is_object()) read_object(found->get_object(), out);
  out.outcome = classify(out);
  return out;
}

OutcomeClass classify(const ApiError& error, bool has_retry_after) noexcept {
  if (is_permanent(error.reason) || is_permanent(error.info_reason)) return OutcomeClass::permanent;
  for (const std::string_view name : {std::string_view(error.reason), std::string_view(error.info_reason)})
    if (const OutcomeClass said = classify_google_reason(name); said != OutcomeClass::permanent) return said;
  // "503 UNAVAILABLE, Retry-After: 3" is a peer that says "later", as without a body.
  if (error.http_status == 503 || error.http_status == 429) return classify_http(error.http_status, has_retry_after);
  if (const OutcomeClass said = classify_google_reason(error.status); said != OutcomeClass::permanent) return said;
  return classify_http(error.http_status, has_retry_after);
}

Errc code_of(const ApiError& error) noexcept {
  // Somebody else was first, even where waiting helps: whoever read before writing has to read again.
  if (error.status == "ABORTED" || error.status == "ALREADY_EXISTS" || error.status == "FAILED_PRECONDITION")
    return Errc::conflict;
  switch (error.outcome) {
    case OutcomeClass::transient: return Errc::unavailable;
    case OutcomeClass::throttled: return Errc::exhausted;
    case OutcomeClass::timeout: return Errc::deadline_exceeded;
    case OutcomeClass::ignored: return Errc::cancelled;
    case OutcomeClass::success:
    case OutcomeClass::permanent: break;
  }
  if (error.reason == "invalid_grant" || error.reason == "invalid_client" || error.reason == "unauthorized_client")
    return Errc::permission_denied;
  if (error.status == "DATA_LOSS") return Errc::data_loss;
  if (error.http_status == 401 || error.http_status == 403 || error.http_status == 407) return Errc::permission_denied;
  if (error.http_status == 404 || error.http_status == 410) return Errc::not_found;
  if (error.http_status == 409 || error.http_status == 412) return Errc::conflict;
  if (error.http_status == 501 || error.http_status == 405) return Errc::unsupported;
  // A quota that no wait of ours outlasts: refused, and never tried again by anybody.
  if (error.http_status == 429) return Errc::permission_denied;
  if (error.http_status >= 400 && error.http_status < 500) return Errc::invalid_argument;
  return Errc::internal;
}

std::string describe(const ApiError& error) {
  std::string out = fmt::format("{}", error.http_status);
  if (!error.status.empty()) out += " " + error.status;
  const std::string& reason = error.reason.empty() ? error.info_reason : error.reason;
  if (!reason.empty() && reason != error.status) out += " (" + reason + ")";
  if (!error.message.empty()) out += ": " + error.message;
  return out;
}

}  // namespace serin::google
