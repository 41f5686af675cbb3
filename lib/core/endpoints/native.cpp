// The contract of record (docs/guide/health-dialects.md): every field in every answer, and counts that add up.
#include <array>

#include "dialects.hpp"
#include "json_writer.hpp"

namespace serin::endpoints {
namespace {

std::string_view overall(health::HealthStatus status) noexcept {
  switch (status) {
    case health::HealthStatus::up: return "healthy";
    case health::HealthStatus::degraded: return "degraded";
    case health::HealthStatus::unknown:
    case health::HealthStatus::out_of_service:
    case health::HealthStatus::down: return "unhealthy";
  }
  return "unhealthy";
}

void text_or_null(JsonWriter& out, std::string_view name, std::string_view text) {
  out.key(name);
  if (text.empty()) {
    out.null();
  } else {
    out.text(text);
  }
}

void write_check(JsonWriter& out, const health::CheckReport& check, bool verbose) {
  out.open('{').key("check").text(check.name).key("status").text(check_word(check));
  out.key("critical").boolean(check.critical).key("duration_ms").number(milliseconds(check.duration));
  out.key("details").open('{');
  for (const LogField& field : check.answer.details) out.key(field.key).value(field.value);
  out.close('}');
  text_or_null(out, "error", check.answer.error);
  text_or_null(out, "reason", check.answer.reason);
  if (verbose && check.checked_at) out.key("checked_at").text(format_rfc3339(*check.checked_at));
  out.close('}');
}

void write_checks(JsonWriter& out, const View& view) {
  out.key("checks").open('[');
  for (const health::CheckReport& check : view.report.checks) write_check(out, check, view.verbose);
  out.close(']');
}

/// What was asked to be left out; there only when something was.
void write_excluded(JsonWriter& out, const View& view) {
  if (view.excluding.empty()) return;
  out.key("excluded").open('[');
  for (const health::CheckReport& check : view.report.excluded) out.text(check.name);
  out.close(']').key("warnings").open('[');
  for (const std::string& name : view.report.unknown_excludes)
    out.text("there is no check and no group '" + name + "' to exclude");
  out.close(']');
}

std::string write_liveness(const View& view) {
  JsonWriter out;
  // Degraded is alive: the only thing that the reader of this answer does is to restart.
  const bool failed = view.report.status >= health::HealthStatus::unknown;
  out.open('{').key("status").text(failed ? "unhealthy" : "healthy");
  if (view.shows_checks()) {
    const health::Identity& who = view.identity;
    out.key("service").text(who.service).key("version").text(who.version).key("revision").text(who.revision);
    out.key("commit").text(who.commit).key("environment").text(who.environment);
    if (view.verbose) write_checks(out, view);
  }
  return out.close('}').take();
}

}  // namespace

std::string write_native(const View& view) {
  const health::HealthReport& report = view.report;
  if (report.kind == health::Kind::liveness) return write_liveness(view);
  JsonWriter out;
  out.open('{').key("status").text(overall(report.status));
  if (!view.shows_checks()) return out.close('}').take();
  out.key("service").text(view.identity.service);
  write_checks(out, view);
  std::array<std::int64_t, 4> counts{};
  Duration longest = report.total;
  for (const health::CheckReport& check : report.checks) {
    const std::string_view word = check_word(check);
    ++counts[word == "pass" ? 0 : word == "warn" ? 1 : word == "fail" ? 2 : 3];
    longest = std::max(longest, check.duration);
  }
  out.key("total_duration_ms").number(milliseconds(longest));
  out.key("checks_run").integer(counts[0] + counts[1] + counts[2]).key("checks_passed").integer(counts[0]);
  out.key("checks_warned").integer(counts[1]).key("checks_failed").integer(counts[2]);
  out.key("checks_skipped").integer(counts[3]);
  write_excluded(out, view);
  return out.close('}').take();
}

}  // namespace serin::endpoints
