#pragma once
#include "serin/ports/time_zone.hpp"

namespace serin {

/// Zones of this machine: /usr/share/zoneinfo, or the folder that TZDIR names. A zone is read once by a process; what
/// lies after the last change in its file goes on by the rule at the file's end. Threads: any.
class SystemTimeZones final : public TimeZones {
 public:
  Result<std::shared_ptr<const TimeZone>> find(std::string_view name) const override;
};

}  // namespace serin
