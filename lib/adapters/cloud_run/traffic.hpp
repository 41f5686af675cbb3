#pragma once
#include <string>

#include "serin/google/cloud_monitoring.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/traffic.hpp"

namespace serin::cloud_run {

struct TrafficOptions {
  std::string location;  ///< "us-central1"
  /// How old a minute is before it is believed to be whole; >= 0. Points are sampled each 60 s and seen up to 3 min
  /// later.
  Duration lag = 180s;
};

/// What Cloud Monitoring counted for a service's revisions (run.googleapis.com/request_count), minute by minute. A
/// minute's requests stand in its first second, so that one in which a stage begins is none of that stage's. A minute
/// that may not have arrived yet is not complete, never empty. What users do not see (hidden, unattributed) is not
/// counted there. Threads: any.
class MonitoredTraffic final : public Traffic {
 public:
  /// \param clock  outlives it. How its two times stand to each other is taken once, here.
  MonitoredTraffic(google::CloudMonitoring monitoring, TrafficOptions options, const Clock& clock);
  /// Asks only when a minute has become whole since `after`. Errors: as Traffic; unavailable, also when the answer may
  /// be incomplete.
  Result<TrafficWindow> read(const ServiceName& service, std::int64_t after, Deadline deadline) override;

 private:
  google::CloudMonitoring monitoring_;
  TrafficOptions options_;
  const Clock& clock_;
  std::int64_t offset_;  // seconds: calendar minus Instant
};

}  // namespace serin::cloud_run
