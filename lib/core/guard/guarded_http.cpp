#include "serin/guard/guarded_http.hpp"

#include <fmt/format.h>

#include "serin/guard/pipeline.hpp"
#include "serin/guard/retry_after.hpp"
#include "serin/guard/time_left.hpp"
#include "serin/retry/presets.hpp"

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

Result<std::unique_ptr<GuardedHttp>> GuardedHttp::make(HttpClient& inner, Sleeper& sleeper, Random& random,
                                                       GuardedHttpOptions options) {
  std::optional<retry::Retry> retry = retry::preset(options.retry_preset);
  if (!retry) return fail(Errc::invalid_argument, fmt::format("there is no retry preset '{}'", options.retry_preset));
  if (options.attempt_timeout <= 0s) return fail(Errc::invalid_argument, "attempt_timeout must be above 0");
  SERIN_CHECK(retry::TokenBudget::check(options.budget));
  std::unique_ptr<GuardedHttp> made(new GuardedHttp(inner, sleeper, random, std::move(options), *std::move(retry)));
  // What cannot be made for one origin cannot be made for any: it is said now.
  SERIN_TRY([[maybe_unused]] const Origin tried, made->make_origin("http://check"));
  return made;
}

Result<GuardedHttp::Origin*> GuardedHttp::origin_of(std::string_view origin) {
  const std::scoped_lock lock(mutex_);
  if (const auto known = origins_.find(origin); known != origins_.end()) return &known->second;
  SERIN_TRY(Origin made, make_origin(origin));
  if (options_.metrics != nullptr) made.metrics = std::make_unique<TargetMetrics>(*options_.metrics, origin);
  if (logger_) made.breaker->on_change(log_changes(*logger_, std::string(origin)));
  return &origins_.emplace(std::string(origin), std::move(made)).first->second;
}

Result<GuardedHttp::Origin> GuardedHttp::make_origin(std::string_view origin) const {
  breaker::BreakerOptions options = options_.breaker;
  options.name = std::string(origin);
  Origin made;
  SERIN_TRY(made.breaker, breaker::Breaker::make(std::move(options)));
  made.budget = std::make_unique<retry::TokenBudget>(options_.budget);
  SERIN_TRY(made.bulkhead, limit::Bulkhead::make({.name = std::string(origin), .most = options_.calls_at_once}));
  return made;
}

Result<HttpResponse> GuardedHttp::send(std::string_view origin, HttpRequest request, Deadline deadline,
                                       std::stop_token stop) {
  SERIN_TRY(Origin* const state, origin_of(origin));
  const auto guarded = pipeline(Retrying{retry_, *state->budget}, Breaking{*state->breaker}, Bounded{*state->bulkhead},
                                AttemptTimeout{options_.attempt_timeout});
  const Context context{.sleeper = sleeper_,
                        .random = random_,
                        .deadline = deadline,
                        .idempotency = idempotency_of(request.method),
                        .target = origin,
                        .stop = std::move(stop)};
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
  const bool is_watched = state->metrics != nullptr || logger_.has_value();
  const Recorders recorders{.metrics = state->metrics.get(), .logger = logger_ ? &*logger_ : nullptr};
  Result<HttpResponse> result =
      is_watched ? guarded.observed(recorders).run(context, work) : guarded.run(context, work);
  if (!result && last) return *std::move(last);
  return result;
}

std::vector<NamedState> GuardedHttp::states() const {
  const std::scoped_lock lock(mutex_);
  std::vector<NamedState> out;
  for (const auto& [name, origin] : origins_)
    out.push_back({.name = name,
                   .state = {.breaker = origin.breaker->snapshot(sleeper_.now()),
                             .budget_left = origin.budget->left(),
                             .bulkhead = origin.bulkhead->snapshot()}});
  return out;
}

void GuardedHttp::write_gauges(metrics::Registry& registry) const {
  for (const auto& [name, state] : states()) guard::write_gauges(registry, name, state);
}

}  // namespace serin::guard
