#include "serin/watch/spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "serin/base/text.hpp"
#include "serin/config/yaml.hpp"

namespace serin::watch {
namespace {

using config::YamlMap;
using notify::Severity;

constexpr Duration shortest = 100ms;
// In the order of notify::Severity.
const std::vector<std::string> severities{"info", "ticket", "page"};

/// What the items of a file have when they say nothing.
struct Usual {
  ThresholdOptions thresholds;
  Duration timeout = 30s;
  Severity severity = Severity::page;
};

/// "6 of 10".
void read_k_of_n(YamlMap& map, ThresholdOptions& out) {
  if (!map.has("k_of_n")) return;
  const std::string text = map.text("k_of_n", "");
  const std::size_t middle = text.find(" of ");
  const auto k = to_int(std::string_view(text).substr(0, middle));
  const auto n = middle == std::string::npos ? std::nullopt : to_int(std::string_view(text).substr(middle + 4));
  if (!k || !n || *k < 2 || *n > 1000 || *k > *n) {
    map.complain("k_of_n", fmt::format("'{}' is not like 6 of 10, with 2 <= K <= N <= 1000", text));
    return;
  }
  out.k = static_cast<int>(*k);
  out.n = static_cast<int>(*n);
}

int read_count(YamlMap& map, std::string_view key, int otherwise) {
  const std::int64_t value = map.integer(key, otherwise);
  if (value >= 1 && value <= 1000) return static_cast<int>(value);
  map.complain(key, fmt::format("{} must be 1 to 1000", key));
  return otherwise;
}

Usual read_usual(YamlMap& map, Usual out) {
  out.thresholds.fail_after = read_count(map, "fail_after", out.thresholds.fail_after);
  out.thresholds.unknown_after = read_count(map, "unknown_after", out.thresholds.unknown_after);
  out.thresholds.ok_after = read_count(map, "ok_after", out.thresholds.ok_after);
  read_k_of_n(map, out.thresholds);
  out.timeout = map.duration("timeout", out.timeout);
  if (out.timeout < shortest) map.complain("timeout", "timeout must be at least 100ms");
  out.severity = static_cast<Severity>(map.choice("severity", severities, static_cast<std::size_t>(out.severity)));
  return out;
}

Schedule read_schedule(YamlMap& map, const TimeZones& zones) {
  Schedule out;
  if (map.has("every") == map.has("cron")) {
    map.complain("", "when it runs is exactly one of every (30s) and cron (\"0 6 * * *\")");
    return out;
  }
  if (map.has("every")) {
    out.every = map.duration("every", 1min);
    if (out.every < shortest) map.complain("every", "every must be at least 100ms");
    if (map.has("zone")) map.complain("zone", "a period needs no zone; cron does");
    return out;
  }
  auto cron = parse_cron(map.text("cron", ""));
  map.check("cron", cron);
  if (cron) out.cron = std::move(*cron);
  if (!map.has("zone")) map.complain("cron", "zone is missing: in the time of which place? Europe/Berlin, UTC, ...");
  auto zone = zones.find(map.text("zone", "UTC"));
  map.check("zone", zone);
  if (zone) out.zone = std::move(*zone);
  return out;
}

void read_target(YamlMap& map, WatchItem& out) {
  int asked = 0;
  for (const WatchKind kind : {WatchKind::health, WatchKind::smoke, WatchKind::checks}) {
    if (!map.has(kind_name(kind))) continue;
    ++asked;
    out.kind = kind;
    out.target = map.required_text(kind_name(kind));
  }
  if (asked != 1) map.complain("", "what is looked at is exactly one of health, smoke and checks");
  const auto only_for = [&](std::string_view key, bool fits, std::string_view kinds) {
    if (map.has(key) && !fits) map.complain(key, fmt::format("{} belongs to {}", key, kinds));
  };
  out.environment = map.text("env", "");
  only_for("env", out.kind == WatchKind::smoke, "smoke");
  out.database = map.text("db", "");
  only_for("db", out.kind == WatchKind::checks, "checks");
  if (out.kind == WatchKind::checks && out.database.empty())
    map.complain("db", "db is missing: the database that is checked, sqlite:PATH or another address");
  out.tag = map.text("tag", "");
  only_for("tag", out.kind != WatchKind::health, "smoke and checks");
  out.strict = map.flag("strict", false);
  only_for("strict", out.kind == WatchKind::health, "health");
}

WatchItem read_item(YamlMap& map, const Usual& usual, const TimeZones& zones) {
  WatchItem out{.name = map.required_text("name"), .line = map.position().line};
  if (out.name.size() > 200) map.complain("name", "a name has at most 200 characters");
  read_target(map, out);
  // A service of the fleet is whose trouble it is; of an address only the name is known.
  const bool is_service = out.kind == WatchKind::health && out.target.find("://") == std::string::npos;
  out.service = map.text("service", is_service ? out.target : out.name);
  out.schedule = read_schedule(map, zones);
  const Usual own = read_usual(map, usual);
  out.thresholds = own.thresholds;
  out.timeout = own.timeout;
  out.severity = own.severity;
  out.trend = map.flag("trend", out.kind != WatchKind::checks);
  map.done();
  return out;
}

HeartbeatSpec read_heartbeat(YamlMap& map) {
  HeartbeatSpec out{.file = map.text("file", ""), .url = map.text("url", "")};
  out.every = map.duration("every", out.every);
  if (out.every < 1s) map.complain("every", "every must be at least 1s");
  if (!out.url.empty() && !out.url.starts_with("http://") && !out.url.starts_with("https://"))
    map.complain("url", fmt::format("'{}' must begin with http:// or https://", out.url));
  if (out.file.empty() && out.url.empty()) map.complain("", "a heartbeat goes to a file, a url or both");
  map.done();
  return out;
}

}  // namespace

std::string_view kind_name(WatchKind kind) noexcept {
  switch (kind) {
    case WatchKind::health: return "health";
    case WatchKind::smoke: return "smoke";
    case WatchKind::checks: return "checks";
  }
  return "health";
}

WallTime Schedule::next(WallTime after) const { return cron && zone ? next_after(*cron, *zone, after) : after + every; }

std::string Schedule::text() const {
  if (cron && zone) return fmt::format("{} {}", cron->text, zone->name());
  return "every " + format_duration(every);
}

Result<WatchSpec> parse_watch(std::string_view text, std::string_view file, const TimeZones& zones) {
  SERIN_TRY(const std::unique_ptr<config::YamlFile> yaml, config::YamlFile::parse(text, file));
  YamlMap root = yaml->root();
  WatchSpec out{.file = std::string(file)};
  if (root.integer("version", 1) != 1) root.complain("version", "only version 1 is known");
  out.state = root.text("state", out.state);
  out.notify = root.text("notify", "");
  const std::int64_t parallel = root.integer("parallel", out.parallel);
  if (parallel < 1 || parallel > 64) root.complain("parallel", "parallel must be 1 to 64");
  out.parallel = static_cast<int>(std::clamp<std::int64_t>(parallel, 1, 64));
  out.keep = root.duration("keep", out.keep);
  if (out.keep < std::chrono::days(8)) root.complain("keep", "keep must be at least 8d: trends look back for 7");
  if (auto heartbeat = root.map("heartbeat")) out.heartbeat = read_heartbeat(*heartbeat);
  Usual usual;
  if (auto defaults = root.map("defaults")) {
    usual = read_usual(*defaults, usual);
    defaults->done();
  }
  std::set<std::string> names;
  for (YamlMap& map : root.maps("watch")) {
    out.items.push_back(read_item(map, usual, zones));
    if (!names.insert(out.items.back().name).second)
      map.complain("name", fmt::format("there are two '{}'", out.items.back().name));
  }
  if (yaml->mistakes().empty() && out.items.empty()) root.complain("watch", "nothing is watched in this file");
  root.done();
  if (!yaml->mistakes().empty())
    return fail(Errc::invalid_argument, fmt::format("{}", fmt::join(yaml->mistakes(), "\n")));
  return out;
}

}  // namespace serin::watch
