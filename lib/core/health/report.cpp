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

std::string_view word_of(const CheckAnswer& answer) {
  if (!answer.evaluated) return "skip";
  switch (answer.status) {
    case HealthStatus::up: return "pass";
    case HealthStatus::degraded: return "warn";
    case HealthStatus::unknown:
    case HealthStatus::out_of_service:
    case HealthStatus::down: return "fail";
  }
  return "fail";
}

}  // namespace

std::string_view overall_name(Overall overall) noexcept {
  switch (overall) {
    case Overall::healthy: return "healthy";
    case Overall::degraded: return "degraded";
    case Overall::unhealthy: return "unhealthy";
  }
  return "unhealthy";
}

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
      case HealthStatus::up: break;
      case HealthStatus::degraded: mine = Overall::degraded; break;
      case HealthStatus::unknown:
      case HealthStatus::out_of_service:
      case HealthStatus::down: mine = check.critical ? Overall::unhealthy : Overall::degraded; break;
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
    const std::string_view word = word_of(check.answer);
    if (word == "pass") ++passed;
    if (word == "warn") ++warned;
    if (word == "fail") ++failed;
    if (word == "skip") ++skipped;
    longest = std::max(longest, check.duration);
    json::object entry{{"check", check.name},
                       {"status", text_of(word)},
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
