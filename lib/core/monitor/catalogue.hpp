#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

// What is watched, for whom, and who is told: fleet/monitoring.yaml as values. Pure.
namespace serin::monitor {

/// A promise to users, over a period.
struct Slo {
  std::string name;
  double objective = 99.9;  ///< percent that must be good; above 0, below 100
  Duration period{};
  std::optional<double> faster_than;  ///< seconds, a bound of the histogram; absent: good is "status is not 5xx"
  std::vector<std::string> routes;    ///< only these; empty: all but those of health and metrics
  Duration quiet_after{};             ///< no request for so long is an alert of its own; zero: never
};

struct WatchedService {
  std::string name;
  std::string owner;
  std::vector<std::string> targets;           ///< "host:port" that answer /metrics, where no agent tells
  std::map<std::string, std::string> notify;  ///< severity to receiver, where it differs from everyone's
  std::vector<Slo> slos;
};

/// Burning `budget` percent of a period's error budget within `long_window` is worth an alert of `severity`.
struct BurnClause {
  std::string severity;
  double budget = 2;
  Duration short_window{};
  Duration long_window{};
};

enum class Shape : std::uint8_t {
  increase,  ///< a counter grew by more than the limit within the window
  above,     ///< a gauge is above the limit
  older,     ///< a timestamp is older than the window
};

/// One alert for every service that exports the metric.
struct ThresholdAlert {
  std::string name;
  std::string metric;
  std::map<std::string, std::string> where;  ///< label to value; a '.' in it stands for any one character
  Shape shape = Shape::above;
  double limit = 0;
  std::optional<double> below;  ///< of a gauge: values from here on do not count
  Duration window{};
  Duration lasting{};
  std::string severity;
  std::string summary;
};

/// Exactly one of `slack` and `webhook`.
struct Receiver {
  std::string name;
  std::string slack;    ///< channel
  std::string webhook;  ///< URL
};

struct Catalogue {
  std::string file;
  Duration scrape_every{};
  std::string targets_file;    ///< as the agent writes it: monitoring/targets.json of its state; empty: none
  Duration absent_for{};       ///< a service that cannot be scraped for so long is down
  std::string slack_url_file;  ///< holds the secret, so that no generated file does
  Duration group_wait{};
  Duration group_interval{};
  Duration repeat_interval{};
  std::string alertmanager;  ///< "host:port"
  std::vector<Receiver> receivers;
  std::map<std::string, std::string> severities;  ///< to receiver
  std::vector<BurnClause> burn;
  std::vector<WatchedService> services;
  std::vector<ThresholdAlert> alerts;
};

/// Reads a catalogue strictly. Errors: invalid_argument with file:line:column: unknown keys, a metric or label that
/// nobody exports, a receiver that is not there, an alert that cannot fire (its threshold is above 100 % errors).
Result<Catalogue> load_catalogue(std::string_view text, std::string_view file);

/// How much faster than sustainable the budget burns at a clause's limit: 14.4 for 2 % of 30 days within 1 hour.
[[nodiscard]] double burn_factor(const BurnClause& clause, Duration period) noexcept;
/// The error ratio above which a clause fires.
[[nodiscard]] double burn_threshold(const BurnClause& clause, const Slo& slo) noexcept;

}  // namespace serin::monitor
