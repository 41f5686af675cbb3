#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serin/google/api.hpp"
#include "serin/google/place.hpp"
#include "serin/ports/log.hpp"

namespace serin::google {

enum class Severity : std::uint8_t { unset, debug, info, notice, warning, error, critical, alert, emergency };
/// "DEFAULT", "DEBUG", ...: as the service spells it.
[[nodiscard]] std::string_view severity_name(Severity severity) noexcept;

struct LogEntry {
  std::optional<WallTime> time = {};  ///< nothing: when it arrives
  Severity severity = Severity::unset;
  std::string text = {};              ///< alone it is textPayload; with fields it is their "message"
  std::vector<LogField> fields = {};  ///< of jsonPayload
  std::string json = {};              ///< of an entry that was read: its jsonPayload, as it came
  std::map<std::string, std::string> labels = {};
  std::string trace = {};      ///< "projects/p/traces/ID"
  std::string insert_id = {};  ///< twice the same is stored once; empty: one is made up
  std::string log = {};        ///< of an entry that was read: the log's id, "serin"
};

/// Where entries come from: a monitored resource.
struct LogOrigin {
  std::string log;  ///< id of the log: "serin", "audit/one"
  std::string resource = "global";
  std::map<std::string, std::string> resource_labels = {};
  std::map<std::string, std::string> labels = {};  ///< of every entry that has no other of that name
};
struct LogQuery {
  std::string filter;  ///< "severity>=ERROR AND timestamp>=\"...\""; empty: all
  bool newest_first = false;
  std::int64_t page_size = 0;  ///< 0: the service's
  std::size_t most = 1'000;    ///< entries that are read; what is beyond stays there
};

/// Cloud Logging, v2. Threads: any.
class CloudLogging {
 public:
  static constexpr std::string_view service = "logging";
  [[nodiscard]] static ApiOptions defaults();
  CloudLogging(std::shared_ptr<Api> api, Place place) : api_(std::move(api)), place_(std::move(place)) {}

  /// Writes entries in requests of at most 1000 entries and 9 MB. Each entry has an insert id, so a request that may
  /// have been stored is sent again. A request that fails does not keep the others back, nor does an entry that the
  /// service refuses. Errors: invalid_argument (no log, an entry over 256 KB: nothing is sent); the first of the
  /// service's, with how many entries went through.
  Status write(const LogOrigin& origin, std::span<const LogEntry> entries, const Within& within);
  /// Entries of the project, the oldest first unless asked for otherwise.
  Result<std::vector<LogEntry>> list(const LogQuery& query, const Within& within);
  [[nodiscard]] Api& api() const noexcept { return *api_; }
  [[nodiscard]] const Place& place() const noexcept { return place_; }

 private:
  std::shared_ptr<Api> api_;
  Place place_;
};

}  // namespace serin::google
