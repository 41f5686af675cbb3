#pragma once
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/google/api_error.hpp"
#include "serin/google/token_source.hpp"
#include "serin/google/url.hpp"
#include "serin/outcome/outcome.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/random.hpp"
#include "serin/retry/retry.hpp"

namespace serin::google {

struct ApiOptions {
  std::string service;   ///< "secretmanager": in messages
  std::string endpoint;  ///< "https://secretmanager.googleapis.com", or an emulator's "http://127.0.0.1:8085"
  /// Waits of U(0, 250 ms x 2^n), at most 20 s; what the service asks for is a lower bound, with up to 10 % on top.
  retry::RetryOptions retry{.max_attempts = 4,
                            .backoff = {.first = 250ms, .most = 20s, .factor = 2, .jitter = retry::Jitter::full},
                            .retry_after_spread = 0.1,
                            .attempt_timeout = 60s};
  Duration max_retry_after = 60s;  ///< who asks for a longer wait is not asked again; > 0
  retry::TokenBudgetOptions budget = {.ratio = 0.1, .most = 10};  ///< retries of all calls together
  std::string quota_project;  ///< sent as x-goog-user-project; empty: what the token source says
};
/// As BigQuery asks for: U(0, 1 s x 2^n), at most 32 s, until the deadline.
[[nodiscard]] retry::RetryOptions bigquery_retry();

/// One call.
struct ApiCall {
  std::string method = "GET";
  std::string path;  ///< "/v1/projects/p/secrets"; segments are escaped already (escape() of url.hpp)
  Query query = {};
  std::string body = {};  ///< JSON; empty: none is sent
  Deadline deadline;      ///< of the call with all its attempts and waits
  std::stop_token stop = {};
  /// Nothing: GET, HEAD, OPTIONS, PUT and DELETE are idempotent. To be set where a POST has a request id, a job id of
  /// ours or a precondition that makes a second one harmless.
  std::optional<Idempotency> idempotency = {};
  HttpHeaders headers = {};   ///< more of them, such as If-Match
  ApiError* error = nullptr;  ///< gets what the service said when the last attempt failed; outlives the call
};

/// Calls one Google service: Bearer token, JSON, retries that read the reason in an error's body, Retry-After and
/// RetryInfo, and a budget. A 401 makes the token new and is tried once more, whatever the method. What the service
/// surely did not do (429, 403 rateLimitExceeded) is tried again even when it is not idempotent. Threads: any.
class Api {
 public:
  /// \param http, tokens, sleeper, random  outlive it. `http` must not try again by itself: it cannot see the reasons.
  /// Errors: invalid_argument, naming the option.
  static Result<std::unique_ptr<Api>> make(HttpClient& http, TokenSource& tokens, Sleeper& sleeper, Random& random,
                                           ApiOptions options);
  /// The answer, 2xx or 304. Errors: as code_of() and HttpClient say, with service, method and path; invalid_argument
  /// for a path that is none. Cancellation: at once; the service may have done it.
  Result<HttpResponse> call(const ApiCall& call);

  [[nodiscard]] const ApiOptions& options() const noexcept { return options_; }
  [[nodiscard]] Sleeper& sleeper() const noexcept { return sleeper_; }
  [[nodiscard]] Random& random() const noexcept { return random_; }
  /// How much of the retries' budget is left, 0 to 1.
  [[nodiscard]] double budget_left() const noexcept { return budget_.left(); }

 private:
  struct Attempt;
  class Course;
  Api(HttpClient& http, TokenSource& tokens, Sleeper& sleeper, Random& random, ApiOptions options,
      const retry::Retry& retry)
      : http_(http),
        tokens_(tokens),
        sleeper_(sleeper),
        random_(random),
        options_(std::move(options)),
        retry_(retry),
        budget_(options_.budget) {}
  [[nodiscard]] HttpRequest request_of(const ApiCall& call, std::string_view token) const;
  Result<HttpResponse> attempt(const ApiCall& call, Deadline deadline, Attempt& said);

  HttpClient& http_;
  TokenSource& tokens_;
  Sleeper& sleeper_;
  Random& random_;
  ApiOptions options_;
  retry::Retry retry_;
  retry::TokenBudget budget_;
};

}  // namespace serin::google
