#include "dialects.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace serin::endpoints {

using health::CheckReport;
using health::HealthReport;
using health::HealthStatus;

namespace {

/// Keeps the `kept` worst checks in their order; one check says what the others would.
void shorten(HealthReport& report, std::size_t kept) {
  if (report.checks.size() <= kept) return;
  std::vector<std::size_t> order(report.checks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto rank = [&](std::size_t i) { return std::pair(-static_cast<int>(contribution(report.checks[i])), i); };
  std::ranges::sort(order, {}, rank);
  CheckReport rest{.name = "omitted", .critical = false, .kinds = report.kind};
  rest.answer = {.status = HealthStatus::up,
                 .details = {LogField("checks", order.size() - kept)},
                 .reason = "the answer would be too long"};
  for (std::size_t i = kept; i < order.size(); ++i) {
    const CheckReport& check = report.checks[order[i]];
    rest.critical = rest.critical || contribution(check) >= HealthStatus::unknown;
    rest.answer.status = std::max(rest.answer.status, contribution(check));
    rest.duration = std::max(rest.duration, check.duration);
  }
  order.resize(kept);
  std::ranges::sort(order);
  std::vector<CheckReport> checks;
  checks.reserve(kept + 1);
  for (const std::size_t i : order) checks.push_back(std::move(report.checks[i]));
  checks.push_back(std::move(rest));
  report.checks = std::move(checks);
}

template <class List>
void drop_after(List& list, std::size_t kept) {
  if (list.size() > kept) list.erase(list.begin() + static_cast<std::ptrdiff_t>(kept), list.end());
}

std::string write_once(Dialect dialect, const View& view) {
  switch (dialect) {
    case Dialect::native: return write_native(view);
    case Dialect::kubernetes: return write_kubernetes(view);
    case Dialect::microprofile: return write_microprofile(view);
    case Dialect::actuator: return write_actuator(view);
    case Dialect::health_json: return write_health_json(view);
    case Dialect::aspnet_word: return write_aspnet_word(view);
    case Dialect::aspnet_ui: return write_aspnet_ui(view);
    case Dialect::prometheus: return write_prometheus(view);
  }
  return "";
}

}  // namespace

std::string_view content_type(Dialect dialect) noexcept {
  switch (dialect) {
    case Dialect::native:
    case Dialect::microprofile:
    case Dialect::aspnet_ui: return "application/json";
    case Dialect::kubernetes: return "text/plain; charset=utf-8";
    case Dialect::actuator: return "application/vnd.spring-boot.actuator.v3+json";
    case Dialect::health_json: return "application/health+json";
    case Dialect::aspnet_word: return "text/plain";
    case Dialect::prometheus: return "text/plain; version=0.0.4; charset=utf-8";
  }
  return "application/json";
}

int code_in(Dialect dialect, int code) noexcept {
  if (dialect == Dialect::kubernetes && code == 503) return 500;
  if (dialect == Dialect::prometheus && code != 500) return 200;
  return code;
}

std::string_view check_word(const CheckReport& check) noexcept {
  if (!check.answer.evaluated) return "skip";
  switch (check.answer.status) {
    case HealthStatus::up: return "pass";
    case HealthStatus::degraded: return "warn";
    case HealthStatus::unknown:
    case HealthStatus::out_of_service:
    case HealthStatus::down: return "fail";
  }
  return "fail";
}

std::string write(Dialect dialect, View view, std::size_t limit) {
  if (view.level == Disclosure::none) return "";
  std::string body = write_once(dialect, view);
  if (body.size() <= limit) return body;
  std::vector<CheckReport>& checks = view.report.checks;
  for (CheckReport& check : checks) check.answer.details.clear();
  for (CheckReport& check : view.report.excluded) check.answer.details.clear();
  body = write_once(dialect, view);
  if (body.size() <= limit) return body;
  constexpr std::size_t short_text = 80;
  for (CheckReport& check : checks) check.answer.error = cut(check.answer.error, short_text);
  for (CheckReport& check : checks) check.answer.reason = cut(check.answer.reason, short_text);
  body = write_once(dialect, view);
  const View whole = view;
  for (std::size_t kept = checks.size(); body.size() > limit && kept > 0;) {
    kept /= 2;
    view.report = whole.report;
    shorten(view.report, kept);
    drop_after(view.report.excluded, kept);
    drop_after(view.report.unknown_excludes, kept);
    drop_after(view.groups, kept);
    body = write_once(dialect, view);
  }
  return body;
}

}  // namespace serin::endpoints
