// What kube-apiserver's /livez and /readyz say: "ok", or a line a check; a failure always has its lines.
#include <algorithm>

#include "dialects.hpp"

namespace serin::endpoints {
namespace {

std::string_view endpoint(health::Kind kind) noexcept {
  switch (kind) {
    case health::Kind::liveness: return "livez";
    case health::Kind::readiness: return "readyz";
    case health::Kind::startup: return "startupz";
    case health::Kind::none:
    case health::Kind::deep: return "healthz";
  }
  return "healthz";
}

std::string line(const health::CheckReport& check) {
  const std::string name = one_line(check.name);
  if (check.answer.status <= health::HealthStatus::degraded) return "[+]" + name + " ok\n";
  // Without the right to read it the text is the word "withheld"; without an error there is at least a reason.
  std::string why = one_line(check.answer.error.empty() ? check.answer.reason : check.answer.error);
  if (why.empty() || why == withheld) why = "reason withheld";
  return "[-]" + name + " failed: " + why + "\n";
}

std::string excluded_line(const health::CheckReport& check, const View& view) {
  const auto asked = [&](const std::string& name) { return std::ranges::find(view.excluding, name); };
  const std::string name = one_line(check.name);
  if (asked(check.name) == view.excluding.end())
    for (const std::string& group : check.groups)
      if (asked(group) != view.excluding.end()) return "[+]" + name + " excluded with " + one_line(group) + ": ok\n";
  return "[+]" + name + " excluded: ok\n";
}

std::string warning(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "\"" : ",\"") + one_line(name) + "\"";
  return "warn: some health checks cannot be excluded: no matches for " + out + "\n";
}

}  // namespace

std::string write_kubernetes(const View& view) {
  const health::HealthReport& report = view.report;
  const bool passed = report.status <= health::HealthStatus::degraded;
  if (passed && !view.verbose) return "ok";
  std::string out;
  if (view.shows_checks()) {
    for (const health::CheckReport& check : report.checks) out += line(check);
    for (const health::CheckReport& check : report.excluded) out += excluded_line(check, view);
    if (!report.unknown_excludes.empty()) out += warning(report.unknown_excludes);
  }
  return out + std::string(endpoint(report.kind)) + (passed ? " check passed\n" : " check failed\n");
}

}  // namespace serin::endpoints
