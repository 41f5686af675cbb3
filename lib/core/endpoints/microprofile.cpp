// MicroProfile Health 4: UP or DOWN, and a list of checks with what each one said about itself.
#include "dialects.hpp"
#include "json_writer.hpp"

namespace serin::endpoints {
namespace {

std::string_view word(health::HealthStatus status) noexcept {
  return status <= health::HealthStatus::degraded ? "UP" : "DOWN";
}

}  // namespace

std::string write_microprofile(const View& view) {
  const health::HealthReport& report = view.report;
  JsonWriter out;
  out.open('{').key("status").text(word(report.status));
  out.key("checks").open('[');
  if (view.shows_checks())
    for (const health::CheckReport& check : report.checks) {
      out.open('{').key("name").text(check.name).key("status");
      out.text(check.answer.evaluated ? word(check.answer.status) : "UP");
      if (!check.answer.details.empty()) {
        out.key("data").open('{');
        for (const LogField& field : check.answer.details) out.key(field.key).value(field.value);
        out.close('}');
      }
      out.close('}');
    }
  return out.close(']').close('}').take();
}

}  // namespace serin::endpoints
