#include "serin/google/api.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "serin/base/redact.hpp"
#include "serin/guard/retry_after.hpp"

namespace serin::google {
namespace {

Idempotency idempotency_of(const ApiCall& call) {
  if (call.idempotency) return *call.idempotency;
  const bool twice_is_once = call.method == "GET" || call.method == "HEAD" || call.method == "OPTIONS" ||
                             call.method == "PUT" || call.method == "DELETE";
  return twice_is_once ? Idempotency::idempotent : Idempotency::not_idempotent;
}

/// What would end the request line or begin a query is not part of a path.
bool is_path(std::string_view path) {
  return path.starts_with('/') &&
         std::ranges::none_of(path, [](char c) { return c <= ' ' || c == 0x7F || c == '?' || c == '#'; });
}

Status check(ApiOptions& options) {
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  const std::string_view endpoint = options.endpoint;
  const std::size_t scheme = endpoint.starts_with("https://") ? 8 : endpoint.starts_with("http://") ? 7 : 0;
  if (scheme == 0 || endpoint.size() == scheme || !is_path("/" + std::string(endpoint)) ||
      endpoint.find_first_of("/@", scheme) != std::string_view::npos)
    return fail(Errc::invalid_argument,
                fmt::format("endpoint of {} is \"{}\", not https://host[:port] or http://host[:port]", options.service,
                            redact(endpoint)));
  if (options.max_retry_after <= 0s) return fail(Errc::invalid_argument, "max_retry_after must be above 0");
  return retry::TokenBudget::check(options.budget);
}

}  // namespace

retry::RetryOptions bigquery_retry() {
  return {.max_attempts = 1000,
          .backoff = {.first = 1s, .most = 32s, .factor = 2, .jitter = retry::Jitter::full},
          .retry_after_spread = 0.1,
          .attempt_timeout = 60s};
}

/// What is known of an attempt that failed.
struct Api::Attempt {
  ApiError error;
  std::string token = {};
  bool surely_not_executed = false;
};

/// The attempts of one call: counts them and asks policy and budget, by the outcome that the body gave.
class Api::Course {
 public:
  Course(Api& api, const ApiCall& call)
      : api_(api), call_(call), counted_(&api.budget_), idempotency_(idempotency_of(call)), last_{.number = 0} {}
  Course(const Course&) = delete;
  Course& operator=(const Course&) = delete;
  ~Course() { settle(false); }

  Deadline begin() {
    ++last_.number;
    return api_.retry_.attempt_deadline(call_.deadline, api_.sleeper_);
  }
  void succeeded() {
    if (last_.number == 1) counted_.succeeded_at_once();
    settle(true);
  }
  /// Whether another attempt follows an answer of 401: once, and it does not count.
  bool may_renew(const Attempt& said) {
    if (said.error.http_status != 401 || said.token.empty() || renewed_ || call_.stop.stop_requested()) return false;
    renewed_ = true;
    --last_.number;
    return true;
  }
  /// Waits for the next attempt; false, with the reason in words, when there is none.
  bool goes_on(const Attempt& said, std::string& why) {
    settle(false);
    if (call_.stop.stop_requested()) return false;
    last_.outcome = said.error.outcome;
    last_.surely_not_executed = said.surely_not_executed;
    last_.retry_after = said.error.retry_after;
    if (is_retryable(last_.outcome) && last_.retry_after && *last_.retry_after > api_.options_.max_retry_after) {
      why = fmt::format("it asks to wait {}", format_duration(*last_.retry_after));
      return false;
    }
    const Instant now = api_.sleeper_.now();
    const retry::Decision decision =
        retry::decide(api_.retry_, last_, idempotency_, now, call_.deadline, api_.random_.next());
    if (decision.stop != retry::Stop::no) {
      why = words(decision.stop);
      return false;
    }
    if (!api_.budget_.try_retry(last_.outcome == OutcomeClass::timeout)) {
      why = "the budget for retries is used up";
      return false;
    }
    owes_ = true;
    last_.previous_wait = decision.wait;
    return sleep_until(api_.sleeper_, Deadline::after(now, decision.wait).at(), call_.stop).has_value();
  }

 private:
  /// Only what a reader of the error would not expect.
  [[nodiscard]] std::string words(retry::Stop stop) const {
    if (stop == retry::Stop::attempts_used && last_.number > 1) return fmt::format("{} attempts", last_.number);
    if (stop == retry::Stop::past_deadline)
      return last_.retry_after
                 ? fmt::format("it asks to wait {}, longer than the deadline lets", format_duration(*last_.retry_after))
                 : fmt::format("{} attempts until the deadline", last_.number);
    if (stop == retry::Stop::not_idempotent && is_retryable(last_.outcome))
      return "it may have been done, so it is not tried again";
    return {};
  }
  void settle(bool succeeded) {
    if (owes_) api_.budget_.on_retry_end(succeeded);
    owes_ = false;
  }
  Api& api_;
  const ApiCall& call_;
  retry::CountedCall counted_;
  Idempotency idempotency_;
  retry::Attempted last_;
  bool renewed_ = false;
  bool owes_ = false;  // the budget has not heard how the retry that it allowed ended
};

Result<std::unique_ptr<Api>> Api::make(HttpClient& http, TokenSource& tokens, Sleeper& sleeper, Random& random,
                                       ApiOptions options) {
  SERIN_CHECK(check(options));
  SERIN_TRY(const retry::Retry retry, retry::Retry::make(options.retry));
  return std::unique_ptr<Api>(new Api(http, tokens, sleeper, random, std::move(options), retry));
}

HttpRequest Api::request_of(const ApiCall& call, std::string_view token) const {
  HttpRequest request{.method = call.method, .target = target_of(call.path, call.query), .headers = call.headers};
  request.headers.set("Accept", "application/json");
  request.headers.set("x-goog-api-client", "gl-cpp/23 serin/1");
  if (!token.empty()) request.headers.set("Authorization", fmt::format("Bearer {}", token));
  const std::string project = options_.quota_project.empty() ? tokens_.quota_project() : options_.quota_project;
  if (!project.empty()) request.headers.set("x-goog-user-project", project);
  if (!call.body.empty() && !call.headers.find("Content-Type")) request.headers.set("Content-Type", "application/json");
  request.body = call.body;
  return request;
}

Result<HttpResponse> Api::attempt(const ApiCall& call, Deadline deadline, Attempt& said) {
  said = {};
  SERIN_TRY(said.token, tokens_.token(deadline, call.stop));
  Result<HttpResponse> response = http_.send(options_.endpoint, request_of(call, said.token), deadline, call.stop);
  if (!response) {
    said.error.outcome = serin::classify(response.error().code());
    said.error.message = response.error().detail();
    said.surely_not_executed = is_surely_not_executed(response.error().code());
    return response;
  }
  if ((response->status >= 200 && response->status < 300) || response->status == 304) return response;
  ApiError& error = said.error = read_error(response->status, response->body);
  if (const auto field = response->headers.find("Retry-After"))
    error.retry_after = guard::parse_retry_after(*field, sleeper_.wall());
  if (error.retry_delay) error.retry_after = std::max(error.retry_after.value_or(0s), *error.retry_delay);
  error.outcome = classify(error, error.retry_after.has_value());
  said.surely_not_executed = error.surely_not_executed();
  return fail(code_of(error), describe(error));
}

Result<HttpResponse> Api::call(const ApiCall& call) {
  if (!is_path(call.path))
    return fail(Errc::invalid_argument, fmt::format("{}: \"{}\" is no path", options_.service, call.path));
  Course course(*this, call);
  Attempt said;
  for (;;) {
    Result<HttpResponse> result = attempt(call, course.begin(), said);
    if (result) {
      course.succeeded();
      return result;
    }
    if (course.may_renew(said)) {
      tokens_.reject(said.token);
      continue;
    }
    std::string why;
    if (course.goes_on(said, why)) continue;
    if (call.error != nullptr) *call.error = said.error;
    std::string text = fmt::format("{}: {} {}: {}", options_.service, call.method, call.path, result.error().detail());
    if (!why.empty()) text += " (" + why + ")";
    return fail(result.error().code(), std::move(text));
  }
}

}  // namespace serin::google
