#include "serin/zones/time_zones.hpp"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>

#include "serin/base/text.hpp"

namespace serin {
namespace {

using std::chrono::floor;
using std::chrono::seconds;

const absl::CivilSecond civil_epoch{1970, 1, 1};

WallTime wall_of(absl::Time time) { return WallTime(seconds(absl::ToUnixSeconds(time))); }

class AbslZone final : public TimeZone {
 public:
  explicit AbslZone(const absl::TimeZone& zone) : zone_(zone), name_(zone.name()) {}
  const std::string& name() const noexcept override { return name_; }
  LocalTime local(WallTime at) const override {
    const absl::Time time = absl::FromUnixSeconds(floor<seconds>(at.time_since_epoch()).count());
    return LocalTime(seconds(zone_.At(time).cs - civil_epoch));
  }
  LocalMoments moments(LocalTime shown) const override {
    const absl::TimeZone::TimeInfo info = zone_.At(civil_epoch + shown.time_since_epoch().count());
    switch (info.kind) {
      case absl::TimeZone::TimeInfo::UNIQUE: break;
      case absl::TimeZone::TimeInfo::SKIPPED:
        return {.kind = LocalMoments::Kind::skipped, .first = wall_of(info.trans), .second = wall_of(info.trans)};
      case absl::TimeZone::TimeInfo::REPEATED:
        return {.kind = LocalMoments::Kind::repeated, .first = wall_of(info.pre), .second = wall_of(info.post)};
    }
    return {.kind = LocalMoments::Kind::unique, .first = wall_of(info.pre), .second = wall_of(info.pre)};
  }

 private:
  absl::TimeZone zone_;
  std::string name_;
};

/// A name as the IANA database has them. Anything else would be a path, and whoever writes a schedule reads no files.
bool is_zone_name(std::string_view name) {
  const auto is_fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
           c == '-' || c == '/';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' && name.back() != '/' &&
         std::ranges::all_of(name, is_fine);
}

}  // namespace

Result<std::shared_ptr<const TimeZone>> SystemTimeZones::find(std::string_view name) const {
  absl::TimeZone zone;
  // "Fixed/..." and "localtime" are ways of the library, not zones that mean the same on every machine.
  if (!is_zone_name(name) || name.starts_with("Fixed/") || name == "localtime" ||
      !absl::LoadTimeZone(std::string(name), &zone))
    return fail(
        Errc::not_found,
        fmt::format("there is no time zone '{}' here; names are like Europe/Berlin or UTC (package tzdata)", name));
  return std::make_shared<const AbslZone>(zone);
}

}  // namespace serin
