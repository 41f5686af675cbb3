// application/health+json, draft-inadarei-api-health-check: pass, warn or fail; each check's value is a list.
#include <algorithm>

#include "dialects.hpp"
#include "json_writer.hpp"

namespace serin::endpoints {
namespace {

using health::HealthStatus;

std::string_view word(HealthStatus status) noexcept {
  switch (status) {
    case HealthStatus::up: return "pass";
    case HealthStatus::degraded: return "warn";
    case HealthStatus::unknown:
    case HealthStatus::out_of_service:
    case HealthStatus::down: return "fail";
  }
  return "fail";
}

/// The colon ends the component's name in a key.
std::string without_colon(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, ':', '_');
  return out;
}

void write_check(JsonWriter& out, const health::CheckReport& check, bool verbose) {
  const HealthStatus status = check.answer.evaluated ? check.answer.status : HealthStatus::up;
  out.key(without_colon(check.name) + ":responseTime").open('[').open('{');
  out.key("componentId").text(check.name);
  if (!check.component_type.empty()) out.key("componentType").text(check.component_type);
  // A duration is another one after every run: a short answer says the same until something changes.
  if (verbose) out.key("observedValue").number(milliseconds(check.duration)).key("observedUnit").text("ms");
  out.key("status").text(word(status));
  if (verbose && check.checked_at) out.key("time").text(format_rfc3339(*check.checked_at));
  if (status != HealthStatus::up && !check.answer.error.empty()) out.key("output").text(check.answer.error);
  for (const LogField& field : check.answer.details) out.key("x_" + field.key).value(field.value);
  out.close('}').close(']');
}

}  // namespace

std::string write_health_json(const View& view) {
  const health::HealthReport& report = view.report;
  JsonWriter out;
  out.open('{').key("status").text(word(report.status));
  if (view.shows_checks()) {
    out.key("version").text("1").key("releaseId").text(view.identity.version);
    out.key("serviceId").text(view.identity.service);
    if (!report.checks.empty()) {
      out.key("checks").open('{');
      for (const health::CheckReport& check : report.checks) write_check(out, check, view.verbose);
      out.close('}');
    }
    if (!view.about.empty()) out.key("links").open('{').key("about").text(view.about).close('}');
  }
  return out.close('}').take();
}

}  // namespace serin::endpoints
