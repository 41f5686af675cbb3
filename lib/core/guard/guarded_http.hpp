#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "serin/guard/elements.hpp"
#include "serin/guard/recorders.hpp"
#include "serin/guard/states.hpp"
#include "serin/ports/http.hpp"

namespace serin::guard {

struct GuardedHttpOptions {
  std::string retry_preset = "http_client";  ///< of retry/presets.hpp
  retry::TokenBudgetOptions budget;
  breaker::BreakerOptions breaker;       ///< its name is replaced by the origin's
  std::int64_t calls_at_once = 64;       ///< to one origin
  Duration attempt_timeout = 5s;         ///< > 0
  metrics::Registry* metrics = nullptr;  ///< counts what happens, by origin; outlives it
  LogSink* log = nullptr;                ///< hears what happens; outlives it
};

/// An HTTP client that keeps a breaker, a budget and a bulkhead for each origin. GET, HEAD, PUT, DELETE and OPTIONS are
/// tried again, others only when they surely were not sent. A peer's 5xx stays what it was in the end: any status is an
/// answer here, as HttpClient says; only while trying it counts as a failure. A peer's Retry-After is kept: never
/// sooner. Every request carries the time left (time_left.hpp). Threads: any.
class GuardedHttp final : public HttpClient {
 public:
  /// \param inner, sleeper, random  outlive it
  /// Errors: invalid_argument, naming the option.
  static Result<std::unique_ptr<GuardedHttp>> make(HttpClient& inner, Sleeper& sleeper, Random& random,
                                                   GuardedHttpOptions options = {});
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline deadline,
                            std::stop_token stop) override;

  /// Of every origin that was called, by name.
  [[nodiscard]] std::vector<NamedState> states() const;
  /// The same as gauges: to be called when /metrics is asked.
  void write_gauges(metrics::Registry& registry) const;

 private:
  struct Origin {
    std::unique_ptr<breaker::Breaker> breaker;
    std::unique_ptr<retry::TokenBudget> budget;
    std::unique_ptr<limit::Bulkhead> bulkhead;
    std::unique_ptr<TargetMetrics> metrics;  // null: nobody counts
  };
  GuardedHttp(HttpClient& inner, Sleeper& sleeper, Random& random, GuardedHttpOptions options, retry::Retry retry)
      : inner_(inner), sleeper_(sleeper), random_(random), options_(std::move(options)), retry_(std::move(retry)) {
    if (options_.log != nullptr) logger_.emplace(*options_.log);
  }
  Result<Origin*> origin_of(std::string_view origin);
  [[nodiscard]] Result<Origin> make_origin(std::string_view origin) const;

  HttpClient& inner_;
  Sleeper& sleeper_;
  Random& random_;
  GuardedHttpOptions options_;
  retry::Retry retry_;
  std::optional<Logger> logger_ = {};
  mutable std::mutex mutex_;
  std::map<std::string, Origin, std::less<>> origins_;  // guarded by mutex_; an entry never goes away
};

}  // namespace serin::guard
