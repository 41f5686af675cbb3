#include "serin/health/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace serin::health {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_error = 1024;

json::string text_of(std::string_view text) { return json::string(text.data(), text.size()); }

double milliseconds(Duration duration) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count()) / 1000.0;
}

json::object details_of(const CheckAnswer& answer) {
  json::object out;
  for (const LogField& field : answer.details)
    std::visit([&](const auto& value) { out[field.key] = value; }, field.value);
  return out;
}

}  // namespace

std::string_view check_status_name(CheckStatus status) noexcept {
  switch (status) {
    case CheckStatus::pass: return "pass";
    case CheckStatus::warn: return "warn";
    case CheckStatus::fail: return "fail";
    case CheckStatus::skip: return "skip";
  }
  return "fail";
}

std::string_view overall_name(Overall overall) noexcept {
  switch (overall) {
    case Overall::healthy: return "healthy";
    case Overall::degraded: return "degraded";
    case Overall::unhealthy: return "unhealthy";
  }
  return "unhealthy";
}

CheckAnswer CheckAnswer::pass(std::vector<LogField> details) {
  return {.status = CheckStatus::pass, .details = std::move(details), .error = {}, .reason = {}};
}
CheckAnswer CheckAnswer::warn(std::string reason, std::string error, std::vector<LogField> details) {
  return {.status = CheckStatus::warn,
          .details = std::move(details),
          .error = std::move(error),
          .reason = std::move(reason)};
}
CheckAnswer CheckAnswer::fail(std::string reason, std::string error, std::vector<LogField> details) {
  return {.status = CheckStatus::fail,
          .details = std::move(details),
          .error = std::move(error),
          .reason = std::move(reason)};
}
CheckAnswer CheckAnswer::skip(std::string reason) {
  return {.status = CheckStatus::skip, .details = {}, .error = {}, .reason = std::move(reason)};
}
CheckAnswer CheckAnswer::of(const Error& error) { return fail(std::string(errc_name(error.code())), error.detail()); }

CheckReport evaluate(const CheckState& state, Instant now) {
  const CheckOptions& options = state.options;
  CheckReport report{.name = options.name, .critical = options.critical, .duration = state.lasted, .answer = {}};
  const Duration running = state.running_since ? now - *state.running_since : Duration::zero();
  if (running > options.timeout) {
    report.duration = running;
    report.answer = CheckAnswer::fail("timeout", fmt::format("no answer within {}", format_duration(options.timeout)));
  } else if (!state.answer) {
    report.duration = running;
    report.answer = CheckAnswer::fail("not_run_yet", "it has not answered yet");
  } else if (const Duration age = now - state.answered_at; age > 3 * options.every + options.timeout) {
    report.answer = CheckAnswer::fail("stale", fmt::format("its last answer is {} old", format_duration(age)));
  } else {
    report.answer = *state.answer;
  }
  return report;
}

Overall aggregate(const std::vector<CheckReport>& checks) noexcept {
  Overall worst = Overall::healthy;
  for (const CheckReport& check : checks) {
    Overall mine = Overall::healthy;
    switch (check.answer.status) {
      case CheckStatus::pass:
      case CheckStatus::skip: break;
      case CheckStatus::warn: mine = Overall::degraded; break;
      case CheckStatus::fail: mine = check.critical ? Overall::unhealthy : Overall::degraded; break;
    }
    worst = std::max(worst, mine);
  }
  return worst;
}

std::string render(const HealthReport& report, bool details) {
  json::array checks;
  std::int64_t passed = 0;
  std::int64_t warned = 0;
  std::int64_t failed = 0;
  std::int64_t skipped = 0;
  Duration longest{};
  for (const CheckReport& check : report.checks) {
    switch (check.answer.status) {
      case CheckStatus::pass: ++passed; break;
      case CheckStatus::warn: ++warned; break;
      case CheckStatus::fail: ++failed; break;
      case CheckStatus::skip: ++skipped; break;
    }
    longest = std::max(longest, check.duration);
    json::object entry{{"check", check.name},
                       {"status", text_of(check_status_name(check.answer.status))},
                       {"critical", check.critical},
                       {"duration_ms", milliseconds(check.duration)},
                       {"details", details ? details_of(check.answer) : json::object{}},
                       {"error", nullptr},
                       {"reason", nullptr}};
    if (details && !check.answer.error.empty()) entry["error"] = check.answer.error.substr(0, longest_error);
    if (!check.answer.error.empty() && !details) entry["error"] = "withheld";
    if (!check.answer.reason.empty() && details) entry["reason"] = check.answer.reason;
    checks.push_back(std::move(entry));
  }
  const json::object out{{"status", text_of(overall_name(report.overall))},
                         {"service", report.service},
                         {"checks", std::move(checks)},
                         {"total_duration_ms", milliseconds(longest)},
                         {"checks_run", passed + warned + failed},
                         {"checks_passed", passed},
                         {"checks_warned", warned},
                         {"checks_failed", failed},
                         {"checks_skipped", skipped}};
  return json::serialize(out);
}

}  // namespace serin::health
