#include "serin/incidents/incident.hpp"

namespace serin::incidents {

std::string_view incident_state_name(IncidentState state) noexcept {
  switch (state) {
    case IncidentState::open: return "open";
    case IncidentState::acknowledged: return "acknowledged";
    case IncidentState::resolved: return "resolved";
  }
  return "open";
}

std::string_view severity_name(Severity severity) noexcept {
  switch (severity) {
    case Severity::page: return "page";
    case Severity::ticket: return "ticket";
    case Severity::info: return "info";
  }
  return "page";
}

std::optional<Severity> severity_of_name(std::string_view name) noexcept {
  for (const Severity severity : {Severity::page, Severity::ticket, Severity::info})
    if (severity_name(severity) == name) return severity;
  return std::nullopt;
}

IncidentState Incident::state() const noexcept {
  if (resolved) return IncidentState::resolved;
  return acknowledged ? IncidentState::acknowledged : IncidentState::open;
}

}  // namespace serin::incidents
