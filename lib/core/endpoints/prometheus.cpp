// Gauges in Prometheus' text format 0.0.4. 1 means that it serves, in every one of them.
#include <fmt/format.h>

#include <array>
#include <iterator>

#include "dialects.hpp"

namespace serin::endpoints {
namespace {

using health::HealthStatus;
using health::Kind;

constexpr std::array<HealthStatus, 5> states{HealthStatus::up, HealthStatus::degraded, HealthStatus::unknown,
                                             HealthStatus::out_of_service, HealthStatus::down};

std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string kind_names(Kind kinds) {
  constexpr std::array<std::pair<Kind, std::string_view>, 4> names{
      {{Kind::liveness, "liveness"}, {Kind::readiness, "readiness"}, {Kind::startup, "startup"}, {Kind::deep, "deep"}}};
  std::string out;
  for (const auto& [kind, name] : names)
    if (health::has(kinds, kind)) out += (out.empty() ? "" : ",") + std::string(name);
  return out;
}

void write_states(std::string& out, std::string_view metric, std::string_view labels, HealthStatus status) {
  for (const HealthStatus state : states)
    fmt::format_to(std::back_inserter(out), "{}{{{}state=\"{}\"}} {}\n", metric, labels,
                   health::health_status_name(state), state == status ? 1 : 0);
}

void write_checks(std::string& out, const std::vector<health::CheckReport>& checks) {
  out += "# HELP health_check_status 1: the check is up or degraded.\n# TYPE health_check_status gauge\n";
  for (const health::CheckReport& check : checks)
    fmt::format_to(std::back_inserter(out), "health_check_status{{check=\"{}\",kind=\"{}\",critical=\"{}\"}} {}\n",
                   label(check.name), kind_names(check.kinds), check.critical,
                   check.answer.status <= HealthStatus::degraded ? 1 : 0);
  out += "# HELP health_check_state 1: the check is in this state.\n# TYPE health_check_state gauge\n";
  for (const health::CheckReport& check : checks)
    write_states(out, "health_check_state", fmt::format("check=\"{}\",", label(check.name)), check.answer.status);
  out +=
      "# HELP health_check_last_run_timestamp_seconds When the last run ended.\n"
      "# TYPE health_check_last_run_timestamp_seconds gauge\n";
  for (const health::CheckReport& check : checks)
    if (check.checked_at)
      fmt::format_to(std::back_inserter(out), "health_check_last_run_timestamp_seconds{{check=\"{}\"}} {:.3f}\n",
                     label(check.name), static_cast<double>(unix_ms(*check.checked_at)) / 1000.0);
}

}  // namespace

std::string write_prometheus(const View& view) {
  std::string out = "# HELP health_state 1: all checks together are in this state.\n# TYPE health_state gauge\n";
  write_states(out, "health_state", "", view.report.status);
  out += "# HELP health_draining 1: the process is ending.\n# TYPE health_draining gauge\n";
  out += view.report.draining ? "health_draining 1\n" : "health_draining 0\n";
  if (view.shows_checks()) write_checks(out, view.report.checks);
  return out;
}

}  // namespace serin::endpoints
