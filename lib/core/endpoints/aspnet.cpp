// ASP.NET Core: the word that its middleware writes, and the document that HealthChecks UI reads.
#include <fmt/format.h>

#include <algorithm>

#include "dialects.hpp"
#include "json_writer.hpp"

namespace serin::endpoints {
namespace {

using health::HealthStatus;

std::string_view word(HealthStatus status) noexcept {
  switch (status) {
    case HealthStatus::up: return "Healthy";
    case HealthStatus::degraded: return "Degraded";
    case HealthStatus::unknown:
    case HealthStatus::out_of_service:
    case HealthStatus::down: return "Unhealthy";
  }
  return "Unhealthy";
}

/// A TimeSpan in its constant form: "00:00:00", "00:00:00.0521000", "1.02:00:00". Ticks are 100 ns.
std::string time_span(Duration duration) {
  const std::int64_t ticks = std::max<std::int64_t>(duration.count(), 0) / 100;
  const std::int64_t seconds = ticks / 10'000'000;
  std::string out = seconds >= 86400 ? fmt::format("{}.", seconds / 86400) : "";
  out += fmt::format("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
  if (ticks % 10'000'000 != 0) out += fmt::format(".{:07}", ticks % 10'000'000);
  return out;
}

}  // namespace

std::string write_aspnet_word(const View& view) { return std::string(word(view.report.status)); }

std::string write_aspnet_ui(const View& view) {
  const health::HealthReport& report = view.report;
  JsonWriter out;
  out.open('{').key("status").text(word(report.status));
  out.key("totalDuration").text(time_span(view.shows_checks() ? report.total : Duration::zero()));
  out.key("entries").open('{');
  if (view.shows_checks())
    for (const health::CheckReport& check : report.checks) {
      out.key(check.name).open('{').key("data").open('{');
      for (const LogField& field : check.answer.details) out.key(field.key).value(field.value);
      out.close('}');
      if (!check.answer.error.empty()) out.key("description").text(check.answer.error);
      out.key("duration").text(time_span(check.duration));
      out.key("status").text(word(check.answer.evaluated ? check.answer.status : HealthStatus::up));
      out.key("tags").open('[');
      for (const std::string& group : check.groups) out.text(group);
      out.close(']').close('}');
    }
  return out.close('}').close('}').take();
}

}  // namespace serin::endpoints
