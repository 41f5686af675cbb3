#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "serin/guard/states.hpp"
#include "serin/guard/target.hpp"
#include "serin/ports/http.hpp"

namespace serin::guard {

/// The usual policy of an HTTP client: preset "http_client", a breaker over the last calls, 64 calls at once to an
/// origin, 5 s for an attempt.
[[nodiscard]] Result<TargetPolicy> usual_http_policy();

struct GuardedHttpOptions {
  std::optional<TargetPolicy> policy = {};  ///< of every origin; nothing: usual_http_policy()
  /// Of one origin where it differs; nothing: `policy`. Called once an origin, on the thread of its first call.
  std::function<std::optional<TargetPolicy>(std::string_view origin)> policy_of = {};
  Watchers watchers = {};  ///< hear what happens, by origin
};

/// An HTTP client with a target for each origin. GET, HEAD, PUT, DELETE and OPTIONS are
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
  GuardedHttp(HttpClient& inner, Sleeper& sleeper, Random& random, TargetPolicy policy, GuardedHttpOptions options)
      : inner_(inner), sleeper_(sleeper), random_(random), policy_(std::move(policy)), options_(std::move(options)) {}
  Result<Target*> target_of(std::string_view origin);

  HttpClient& inner_;
  Sleeper& sleeper_;
  Random& random_;
  TargetPolicy policy_;
  GuardedHttpOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Target>, std::less<>> targets_;  // guarded by mutex_; an entry never goes away
};

}  // namespace serin::guard
