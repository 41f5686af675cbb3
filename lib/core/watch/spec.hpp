#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/notify/notification.hpp"
#include "serin/watch/cron.hpp"
#include "serin/watch/thresholds.hpp"

namespace serin::watch {

enum class WatchKind : std::uint8_t {
  health,  ///< a health endpoint, as `serin health` asks it
  smoke,   ///< a suite of smoke tests
  checks,  ///< data checks on a database
};
/// "health", "smoke", "checks".
[[nodiscard]] std::string_view kind_name(WatchKind kind) noexcept;

/// Every so often, or by the calendar of a place.
struct Schedule {
  Duration every = {};            ///< 0: by `cron`
  std::optional<Cron> cron = {};  ///< with `zone`
  std::shared_ptr<const TimeZone> zone = {};
  /// The first time after `after`. A period counts from `after`. Pure.
  [[nodiscard]] WallTime next(WallTime after) const;
  /// "every 30s", "0 6 * * * Europe/Berlin".
  [[nodiscard]] std::string text() const;
};

/// One thing that is looked at again and again.
struct WatchItem {
  std::string name;     ///< unique in the file; history and incidents go by it
  std::string service;  ///< whose trouble it is; the name when the file says nothing
  WatchKind kind = WatchKind::health;
  std::string target;       ///< a service of the fleet, an address, or a file
  std::string environment;  ///< smoke: of the file; or "fleet"
  std::string database;     ///< checks: as `serin check run --db` has it
  std::string tag;          ///< smoke, checks: only those with it; empty: all
  bool strict = false;      ///< health: degraded is failing
  Schedule schedule;
  Duration timeout = 30s;  ///< of one run; what has not answered by then is unknown
  ThresholdOptions thresholds;
  notify::Severity severity = notify::Severity::page;
  bool trend = false;  ///< also compare with its own past
  int line = 1;
};

/// What tells others that the watcher lives: when it is late, somebody else has to look.
struct HeartbeatSpec {
  std::string file;      ///< rewritten at every beat; empty: none
  std::string url;       ///< asked at every beat (a dead man's switch of somebody else); empty: none
  Duration every = 30s;  ///< at least 1s
};

struct WatchSpec {
  std::string file;
  std::string state = "watch.db";         ///< SQLite, beside the file unless absolute
  std::string notify;                     ///< file with channels; empty: nobody is told, which is a finding
  int parallel = 4;                       ///< runs at once, 1 to 64
  Duration keep = std::chrono::days(35);  ///< results; incidents are kept for good
  HeartbeatSpec heartbeat;
  std::vector<WatchItem> items;  ///< at least one
};

/// Reads watch.yaml strictly. \param file  only for messages
/// Errors: invalid_argument: every mistake as "file:line:column: sentence", a line each.
[[nodiscard]] Result<WatchSpec> parse_watch(std::string_view text, std::string_view file, const TimeZones& zones);

}  // namespace serin::watch
