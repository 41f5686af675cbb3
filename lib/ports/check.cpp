#include "serin/ports/check.hpp"

namespace serin::health {

std::string_view health_status_name(HealthStatus status) noexcept {
  switch (status) {
    case HealthStatus::up: return "up";
    case HealthStatus::degraded: return "degraded";
    case HealthStatus::unknown: return "unknown";
    case HealthStatus::out_of_service: return "out_of_service";
    case HealthStatus::down: return "down";
  }
  return "unknown";
}

CheckAnswer CheckAnswer::pass(std::vector<LogField> details) {
  return {.status = HealthStatus::up, .details = std::move(details)};
}
CheckAnswer CheckAnswer::warn(std::string reason, std::string error, std::vector<LogField> details) {
  return {.status = HealthStatus::degraded,
          .details = std::move(details),
          .error = std::move(error),
          .reason = std::move(reason)};
}
CheckAnswer CheckAnswer::fail(std::string reason, std::string error, std::vector<LogField> details) {
  return {.status = HealthStatus::down,
          .details = std::move(details),
          .error = std::move(error),
          .reason = std::move(reason)};
}
CheckAnswer CheckAnswer::unknown(std::string reason, std::string error, std::vector<LogField> details) {
  return {.status = HealthStatus::unknown,
          .details = std::move(details),
          .error = std::move(error),
          .reason = std::move(reason)};
}
CheckAnswer CheckAnswer::skip(std::string reason) {
  return {.status = HealthStatus::up, .evaluated = false, .reason = std::move(reason)};
}
CheckAnswer CheckAnswer::of(const Error& error) { return fail(std::string(errc_name(error.code())), error.detail()); }

}  // namespace serin::health
