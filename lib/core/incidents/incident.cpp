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

IncidentState Incident::state() const noexcept {
  if (resolved) return IncidentState::resolved;
  return acknowledged ? IncidentState::acknowledged : IncidentState::open;
}

}  // namespace serin::incidents
