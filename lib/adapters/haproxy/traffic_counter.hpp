#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/haproxy/access_log.hpp"
#include "serin/haproxy/runtime_socket.hpp"
#include "serin/ports/traffic.hpp"

namespace serin::haproxy {

/// A failed request by name, for people.
struct FailedLine {
  std::string service;
  std::string release;  ///< empty: no server was chosen
  std::int64_t second = 0;
  int status = 0;
  std::int64_t milliseconds = 0;
  std::string what;  ///< "POST /predict"
};

/// A finished second of all services.
struct CountedSecond {
  std::map<std::string, TrafficSecond> services;  ///< every service, also those without requests
  std::vector<FailedLine> failures;               ///< at most 50
};

/// Makes seconds of traffic out of log lines and out of HAProxy's own counters, which know what the log does not:
/// attempts that a retry hid, answers that were never given, and lines that got lost. Threads: any.
class TrafficCounter {
 public:
  explicit TrafficCounter(std::vector<std::string> services) : services_(std::move(services)) {}

  /// A line that came during `second`. What cannot be read counts as lost.
  void add(std::string_view line, std::int64_t second);
  /// The counters as they are now. After HAProxy was started anew, pass a number of its own as `run`: counters begin at
  /// 0.
  void sample(const Statistics& statistics, std::int64_t run);
  /// Ends `second` and all before it; what comes later counts for the next one. Call it after a sample.
  CountedSecond close(std::int64_t second);

 private:
  struct Arm {
    std::int64_t requests = 0;
    std::int64_t errors = 0;
    std::int64_t hidden = 0;
    LatencyHistogram latency;
  };
  struct Service {
    std::map<std::string, Arm> open;  // of the second that is not closed yet, by release
    std::int64_t unattributed = 0;
    std::int64_t lost = 0;
    std::int64_t lines = 0;  // of this run of HAProxy
    std::int64_t lines_at_start = 0;
    std::deque<std::int64_t> unanswered;  // newest samples of requests without an answer
    std::deque<std::int64_t> unlogged;    // ... and of answers without a line
    std::int64_t known_unanswered = 0;
    std::int64_t known_unlogged = 0;
    std::map<std::string, std::int64_t> hidden;  // by server, at the last sample
  };
  void sample_service(const std::string& name, Service& service, const Statistics& statistics, bool first);

  std::mutex mutex_;
  std::vector<std::string> services_;
  std::map<std::string, Service> state_;  // guarded by mutex_
  std::vector<FailedLine> failures_;      // guarded by mutex_
  std::optional<std::int64_t> run_;       // guarded by mutex_
};

}  // namespace serin::haproxy
