#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/notify/notification.hpp"

namespace serin::incidents {

enum class IncidentState : std::uint8_t { open, acknowledged, resolved };
/// "open", "acknowledged", "resolved": stable, in stores and JSON.
[[nodiscard]] std::string_view incident_state_name(IncidentState state) noexcept;

/// Something that was wrong for a while, found by one check. Times are to the millisecond.
struct Incident {
  std::int64_t id = 0;
  std::string check;    ///< what found it
  std::string service;  ///< whose trouble it is
  notify::Severity severity = notify::Severity::page;
  std::string finding;  ///< "failing", or "unknown": nobody could tell
  std::string reason;   ///< what was found last while it was open, a sentence
  WallTime began;       ///< of the first bad finding
  WallTime opened;      ///< when the findings began to count
  std::optional<WallTime> acknowledged = {};
  std::string acknowledged_by = {};
  std::optional<WallTime> resolved = {};
  [[nodiscard]] IncidentState state() const noexcept;
  friend bool operator==(const Incident&, const Incident&) = default;
};

/// One line of an incident's timeline.
struct IncidentEvent {
  std::int64_t seq = 0;  ///< 1, 2, ... within the incident
  WallTime at;
  std::string kind;  ///< opened, changed, acknowledged, notified, not_notified, note, resolved
  std::string text;
  std::string by = {};  ///< a person; empty: the watcher
  friend bool operator==(const IncidentEvent&, const IncidentEvent&) = default;
};

}  // namespace serin::incidents
