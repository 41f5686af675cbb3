#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin {

/// Date and time of day as clocks on the wall show them, to the second, without saying where.
using LocalTime = std::chrono::local_seconds;

/// When the clocks of a place show a time. `skipped`: never, because they were put forward over it; `repeated`: twice,
/// because they were put back.
struct LocalMoments {
  enum class Kind : std::uint8_t { unique, skipped, repeated };
  Kind kind = Kind::unique;
  WallTime first;   ///< skipped: the moment at which the clocks were put forward
  WallTime second;  ///< repeated: the second time; otherwise as first
};

/// The civil time of a place, with its past and its rules for the future. Threads: any.
class TimeZone {
 public:
  virtual ~TimeZone() = default;
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  /// What the clocks show at a moment; a fraction of a second is cut off.
  [[nodiscard]] virtual LocalTime local(WallTime at) const = 0;
  [[nodiscard]] virtual LocalMoments moments(LocalTime shown) const = 0;
};

/// Zones by their names in the IANA database: "Europe/Berlin", "UTC". Threads: any.
class TimeZones {
 public:
  virtual ~TimeZones() = default;
  /// Errors: not_found, naming it, when this machine knows no such zone.
  virtual Result<std::shared_ptr<const TimeZone>> find(std::string_view name) const = 0;
};

}  // namespace serin
