#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"

namespace serin::load {

struct LoadOptions {
  std::string origin;                                        ///< "http://127.0.0.1:8080"
  double requests_per_second = 100;                          ///< > 0, over all workers
  int workers = 8;                                           ///< requests in flight at most; 1 to 256
  Duration timeout = 5s;                                     ///< of one request, from when it was due
  std::function<HttpRequest(std::uint64_t number)> request;  ///< the number-th request; called from any worker
};

/// A request that a user would call failed: 5xx, a broken connection, or no answer in time.
struct FailedRequest {
  WallTime at{};
  std::string what;  ///< "503 POST /predict" or "unavailable: connection closed"
};

/// How many failed requests a report names; the rest is only counted.
constexpr std::size_t kept_failures = 1000;

struct LoadReport {
  std::int64_t sent = 0;
  std::int64_t failed = 0;
  std::int64_t late = 0;  ///< sent more than 100 ms after they were due, because all workers were busy
  std::map<int, std::int64_t> by_status;
  std::vector<FailedRequest> failures;  ///< the first `kept_failures`
  Duration p50{};                       ///< of answered requests, from when they were due, so that waiting counts
  Duration p99{};
};

/// Open loop: requests are due at fixed times whatever the server does, because users do not wait for each other.
/// Starts with the object, ends with stop() or the object. Threads: any for report(); one for stop().
class Load {
 public:
  /// \param client, sleeper  outlive the load
  /// Errors: invalid_argument.
  static Result<std::unique_ptr<Load>> start(LoadOptions options, HttpClient& client, Sleeper& sleeper);
  ~Load();
  /// Waits for the requests in flight. Twice is fine.
  void stop();
  [[nodiscard]] LoadReport report() const;

 private:
  Load(LoadOptions options, HttpClient& client, Sleeper& sleeper);
  void work(const std::stop_token& stop);
  void send(std::uint64_t number, Instant due);

  LoadOptions options_;
  HttpClient& client_;
  Sleeper& sleeper_;
  Instant started_;
  std::atomic<std::uint64_t> next_{0};
  mutable std::mutex mutex_;  // guards the two below
  LoadReport counts_;
  std::vector<std::int32_t> latencies_us_;
  std::vector<std::jthread> workers_;
};

}  // namespace serin::load
