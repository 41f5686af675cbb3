#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/latency.hpp"

namespace serin {

/// What one release did in one second, by when requests ended.
struct TrafficCount {
  ReleaseName release;
  std::int64_t requests = 0;  ///< attempts that ended, the hidden ones below included
  std::int64_t errors = 0;    ///< 5xx, cut or missing answers, and `hidden`
  std::int64_t hidden = 0;    ///< attempts that failed here and were retried elsewhere, so that no user saw it
  /// Of the attempts that were answered, how long the release took for it, without what the client took: a hidden one
  /// and one without an answer are in none of its cells. Nothing: it is not known how long any of them took.
  std::optional<LatencyHistogram> latency = {};
};

struct TrafficSecond {
  std::int64_t second = 0;  ///< Instant in whole seconds; unique and growing
  std::vector<TrafficCount> counts;
  std::int64_t unattributed = 0;  ///< failures that no release can be blamed for (connection closed without an answer)
  std::int64_t lost = 0;          ///< requests that happened but are in no count: the log lost their lines
};

struct TrafficWindow {
  std::vector<TrafficSecond>
      seconds;                 ///< every second from the one asked for up to `complete`, also those without requests
  std::int64_t complete = -1;  ///< last second of which nothing more will come; -1: none
};

/// The judge's input. Threads: any; processes: any.
class Traffic {
 public:
  virtual ~Traffic() = default;
  /// Seconds after `after`, as far as they are complete.
  /// Errors: unavailable, when counting has stopped: "no data" is not "no traffic".
  virtual Result<TrafficWindow> read(const ServiceName& service, std::int64_t after, Deadline deadline) = 0;
};

}  // namespace serin
