#include "serin/guard/guarded_http.hpp"

#include <fmt/format.h>

#include "serin/guard/retry_after.hpp"
#include "serin/guard/time_left.hpp"

namespace serin::guard {
namespace {

Idempotency idempotency_of(std::string_view method) {
  const bool twice_is_once =
      method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
  return twice_is_once ? Idempotency::idempotent : Idempotency::not_idempotent;
}

/// The code that makes retry and breaker see a status as what it is; nothing when it is an answer.
std::optional<Errc> failure_of(const HttpResponse& response) {
  switch (classify_http(response.status, response.headers.find("Retry-After").has_value())) {
    case OutcomeClass::transient: return Errc::unavailable;
    case OutcomeClass::throttled: return Errc::exhausted;
    case OutcomeClass::timeout: return Errc::deadline_exceeded;
    case OutcomeClass::success:
    case OutcomeClass::permanent:
    case OutcomeClass::ignored: break;
  }
  return std::nullopt;
}

}  // namespace

Result<TargetPolicy> usual_http_policy() {
  SERIN_TRY(TargetPolicy policy, usual_policy("http_client"));
  policy.breaker = breaker::BreakerOptions{};
  policy.attempt_timeout = 5s;
  return policy;
}

Result<std::unique_ptr<GuardedHttp>> GuardedHttp::make(HttpClient& inner, Sleeper& sleeper, Random& random,
                                                       GuardedHttpOptions options) {
  SERIN_TRY(TargetPolicy policy, options.policy ? Result<TargetPolicy>(*options.policy) : usual_http_policy());
  // What cannot be made for one origin cannot be made for any: it is said now.
  SERIN_CHECK(Target::make("http://check", sleeper, random, policy));
  return std::unique_ptr<GuardedHttp>(new GuardedHttp(inner, sleeper, random, std::move(policy), std::move(options)));
}

Result<Target*> GuardedHttp::target_of(std::string_view origin) {
  const std::scoped_lock lock(mutex_);
  if (const auto known = targets_.find(origin); known != targets_.end()) return known->second.get();
  std::optional<TargetPolicy> own;
  if (options_.policy_of) own = options_.policy_of(origin);
  SERIN_TRY(auto made, Target::make(std::string(origin), sleeper_, random_, own.value_or(policy_), options_.watchers));
  return targets_.emplace(std::string(origin), std::move(made)).first->second.get();
}

Result<HttpResponse> GuardedHttp::send(std::string_view origin, HttpRequest request, Deadline deadline,
                                       std::stop_token stop) {
  SERIN_TRY(Target* const target, target_of(origin));
  // A bad status of the last attempt: what the caller gets when no other one is better.
  std::optional<HttpResponse> last;
  const auto work = [&](const Context& attempt) -> Result<HttpResponse> {
    last.reset();
    write_time_left(request.headers, attempt.deadline, sleeper_.now());
    SERIN_TRY(HttpResponse response, inner_.send(origin, request, attempt.deadline, attempt.stop));
    if (const auto field = response.headers.find("Retry-After"))
      if (const auto wait = parse_retry_after(*field, sleeper_.wall())) attempt.ask_later(*wait);
    if (const std::optional<Errc> failure = failure_of(response)) {
      std::string text = fmt::format("{} answered {}", origin, response.status);
      last = std::move(response);
      return fail(*failure, std::move(text));
    }
    return response;
  };
  Result<HttpResponse> result = target->run(idempotency_of(request.method), deadline, work, std::move(stop));
  if (!result && last) return *std::move(last);
  return result;
}

std::vector<NamedState> GuardedHttp::states() const {
  const std::scoped_lock lock(mutex_);
  std::vector<NamedState> out;
  for (const auto& [name, target] : targets_) out.push_back({.name = name, .state = target->state()});
  return out;
}

void GuardedHttp::write_gauges(metrics::Registry& registry) const {
  for (const auto& [name, state] : states()) guard::write_gauges(registry, name, state);
}

}  // namespace serin::guard
