#include "view.hpp"

#include <algorithm>

#include "serin/base/redact.hpp"

namespace serin::endpoints {

using health::CheckAnswer;
using health::CheckReport;
using health::HealthReport;
using health::HealthStatus;
using health::Kind;

namespace {

bool fails_critically(const CheckReport& check) noexcept { return contribution(check) >= HealthStatus::unknown; }

/// A value whose name says that it is a secret is one, whatever it looks like.
void clean(LogField& field) {
  const std::string name = field.key + "=";
  if (redact(name + "x") != name + "x") {
    field.value = std::string("***");
  } else if (auto* text = std::get_if<std::string>(&field.value)) {
    *text = cut(redact(cut(*text, longest_text)), longest_text);
  }
  if (field.key.size() > longest_text) field.key = cut(field.key, longest_text);
}

void clean(CheckReport& check, Disclosure level) {
  CheckAnswer& answer = check.answer;
  if (level >= Disclosure::details) {
    // Cut before, so that a text of megabytes costs no more than one of a kilobyte; and after, as it may have grown.
    answer.error = cut(redact(cut(answer.error, longest_text)), longest_text);
    answer.reason = cut(redact(cut(answer.reason, longest_text)), longest_text);
    for (LogField& field : answer.details) clean(field);
    return;
  }
  answer.error = answer.error.empty() ? "" : withheld;
  answer.reason.clear();
  answer.details.clear();
}

HealthStatus worst(const HealthReport& report) noexcept {
  HealthStatus status = report.status;
  for (const CheckReport& check : report.checks) status = std::max(status, contribution(check));
  return status;
}

}  // namespace

bool heeds_drain(Kind kind) noexcept { return health::has(kind, Kind::readiness | Kind::deep); }

HealthStatus contribution(const CheckReport& check) noexcept {
  if (!check.answer.evaluated) return HealthStatus::up;
  if (check.critical || check.answer.status <= HealthStatus::degraded) return check.answer.status;
  return HealthStatus::degraded;
}

bool is_broken(const HealthReport& report) noexcept {
  return std::ranges::any_of(report.checks, [](const CheckReport& check) {
    return check.name != "drain" && contribution(check) == HealthStatus::down;
  });
}

int code_of(const Codes& codes, const HealthReport& report) noexcept {
  if (report.draining && (!heeds_drain(report.kind) ? report.status == HealthStatus::up : !is_broken(report)))
    return codes.draining;
  switch (report.status) {
    case HealthStatus::up: return codes.up;
    case HealthStatus::degraded: return codes.degraded;
    case HealthStatus::unknown: return codes.unknown;
    case HealthStatus::out_of_service: return codes.out_of_service;
    case HealthStatus::down: return codes.down;
  }
  return codes.unknown;
}

std::string_view cut(std::string_view text, std::size_t bytes) noexcept {
  if (text.size() <= bytes) return text;
  // Back to before the first byte of a character that would be cut through; a character has at most four.
  std::size_t end = bytes;
  for (int steps = 0; steps < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U; ++steps) --end;
  return text.substr(0, end);
}

std::string one_line(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

double milliseconds(Duration duration) noexcept {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count()) / 1000.0;
}

void conclude(View& view) {
  HealthReport& report = view.report;
  report.status = worst(report);
  if (report.draining && heeds_drain(report.kind)) {
    if (std::ranges::none_of(report.checks, [](const CheckReport& check) { return check.name == "drain"; }))
      report.checks.push_back(
          {.name = "drain",
           .kinds = report.kind,
           .answer = {.status = HealthStatus::out_of_service, .error = "the process is ending", .reason = "draining"}});
    report.status = std::max(worst(report), HealthStatus::out_of_service);
  }
  if (report.status >= HealthStatus::unknown && std::ranges::none_of(report.checks, fails_critically))
    report.checks.push_back(
        {.name = "service",
         .kinds = report.kind,
         .answer = {.status = report.status, .reason = std::string(health::health_status_name(report.status))}});
  for (CheckReport& check : report.checks) clean(check, view.level);
  for (CheckReport& check : report.excluded) clean(check, view.level);
}

}  // namespace serin::endpoints
