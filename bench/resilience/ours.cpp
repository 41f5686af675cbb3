// What protection costs a call, element by element. Each case makes its calls through the pipeline, as a program would.
#include <memory>
#include <utility>

#include "cases.hpp"
#include "serin/guard/pipeline.hpp"
#include "serin/guard/recorders.hpp"
#include "serin/limit/token_bucket.hpp"

namespace serin::resilience {
namespace {

using guard::Context;

[[gnu::noinline]] Result<int> plain(const Context& context) { return context.attempt; }

/// Everything that the elements refer to; kept alive by the cases.
struct Parts {
  retry::Retry policy = retry::Retry::make({}).value();
  retry::TokenBudget budget;
  retry::TokenBudget plenty{{.ratio = 1, .most = 1e6}};
  std::unique_ptr<breaker::Breaker> count = breaker::Breaker::make({.name = "db", .calls = 100}).value();
  std::unique_ptr<breaker::Breaker> time =
      breaker::Breaker::make({.name = "db", .window = breaker::WindowKind::time, .length = 10s, .buckets = 10}).value();
  std::unique_ptr<breaker::Breaker> open = breaker::Breaker::make({.name = "db"}).value();
  std::unique_ptr<limit::Bulkhead> bulkhead = limit::Bulkhead::make({.name = "db"}).value();
  std::unique_ptr<limit::RateLimit> rate = limit::RateLimit::make({.name = "api", .rate = 1e9, .burst = 1e6}).value();
  std::unique_ptr<limit::TokenBucket> bucket =
      limit::TokenBucket::make({.name = "api", .rate = 1e9, .burst = 1e6}).value();
  metrics::Registry registry;
  guard::TargetMetrics metrics{registry, "db"};
  std::unique_ptr<limit::AdaptiveLimit> adaptive = limit::AdaptiveLimit::make({.name = "db"}).value();
};

template <class Make>
std::int64_t bytes_of(const Make& make) {
  const std::int64_t before = allocated().bytes;
  const auto kept = make();
  keep(kept);
  return allocated().bytes - before;
}

}  // namespace

std::vector<Case> our_cases(Sleeper& sleeper, Random& random, const std::string& clock) {
  std::vector<Case> cases;
  auto parts = std::make_shared<Parts>();
  parts->open->set_override(breaker::Override::forced_open, sleeper.now());
  const Context context{
      .sleeper = sleeper, .random = random, .deadline = Deadline::never(), .idempotency = Idempotency::idempotent};
  const auto add = [&](std::string name, std::string kind, std::int64_t bytes, auto guarded) {
    cases.push_back({.name = std::move(name),
                     .kind = std::move(kind),
                     .who = "ours",
                     .clock = clock,
                     .many =
                         [parts, context, guarded](std::int64_t calls) {
                           for (std::int64_t i = 0; i < calls; ++i) keep(guarded.run(context, plain));
                         },
                     .state_bytes = bytes});
  };
  const auto budget_bytes = static_cast<std::int64_t>(sizeof(retry::TokenBudget));
  const std::int64_t breaker_bytes = bytes_of([] { return breaker::Breaker::make({.name = "db", .calls = 100}); });
  const std::int64_t rate_bytes = bytes_of([] { return limit::RateLimit::make({.name = "api"}); });

  add("B0 a plain call", "plain", 0, guard::pipeline());
  cases.push_back({.name = "one read of the clock",
                   .kind = "clock",
                   .who = "ours",
                   .clock = clock,
                   .many =
                       [&sleeper](std::int64_t calls) {
                         for (std::int64_t i = 0; i < calls; ++i) keep(sleeper.now());
                       },
                   .state_bytes = 0});
  add("B1 retry with budget", "retry", budget_bytes, guard::pipeline(guard::Retrying{parts->policy, parts->budget}));
  add("B2 breaker, last 100 calls", "breaker", breaker_bytes, guard::pipeline(guard::Breaking{*parts->count}));
  add("B3 breaker, 10 x 1 s", "breaker time",
      bytes_of([] { return breaker::Breaker::make({.name = "db", .window = breaker::WindowKind::time}); }),
      guard::pipeline(guard::Breaking{*parts->time}));
  cases.push_back({.name = "B4 budget, a call's deposit alone",
                   .kind = "budget",
                   .who = "ours",
                   .clock = clock,
                   .many =
                       [parts](std::int64_t calls) {
                         for (std::int64_t i = 0; i < calls; ++i) {
                           parts->budget.on_call();
                           parts->budget.on_call_end(true);
                         }
                       },
                   .state_bytes = budget_bytes});
  add("B5 bulkhead", "bulkhead", bytes_of([] { return limit::Bulkhead::make({.name = "db"}); }),
      guard::pipeline(guard::Bounded{*parts->bulkhead}));
  cases.push_back({.name = "B6 token bucket alone",
                   .kind = "bucket",
                   .who = "ours",
                   .clock = clock,
                   .many =
                       [parts, &sleeper](std::int64_t calls) {
                         for (std::int64_t i = 0; i < calls; ++i) keep(parts->bucket->take(sleeper.now()));
                       },
                   .state_bytes = bytes_of([] { return limit::TokenBucket::make({.name = "api"}); })});
  cases.push_back({.name = "B7 GCRA alone",
                   .kind = "rate",
                   .who = "ours",
                   .clock = clock,
                   .many =
                       [parts, &sleeper](std::int64_t calls) {
                         for (std::int64_t i = 0; i < calls; ++i) keep(parts->rate->take(sleeper.now()));
                       },
                   .state_bytes = rate_bytes});
  add("B8 attempt timeout as a deadline", "timeout", 0, guard::pipeline(guard::AttemptTimeout{1s}));
  add("B9 adaptive limit, Gradient2", "adaptive", bytes_of([] { return limit::AdaptiveLimit::make({.name = "db"}); }),
      guard::pipeline(guard::Adapting{*parts->adaptive}));
  add("B10 five: rate, 10 s, retry, 1 s, breaker", "pipeline", rate_bytes + budget_bytes + breaker_bytes,
      guard::pipeline(guard::Paced{*parts->rate}, guard::TotalDeadline{10s},
                      guard::Retrying{parts->policy, parts->budget}, guard::AttemptTimeout{1s},
                      guard::Breaking{*parts->count}));
  add("B11 the same with a metrics observer", "observed pipeline", rate_bytes + budget_bytes + breaker_bytes,
      guard::pipeline(guard::Paced{*parts->rate}, guard::TotalDeadline{10s},
                      guard::Retrying{parts->policy, parts->budget}, guard::AttemptTimeout{1s},
                      guard::Breaking{*parts->count})
          .observed(guard::MetricsObserver{parts->metrics}));
  add("B12 refused by an open breaker", "open", breaker_bytes, guard::pipeline(guard::Breaking{*parts->open}));
  cases.push_back({.name = "B13 one failure, then success, no wait",
                   .kind = "retry once",
                   .who = "ours",
                   .clock = clock,
                   .many =
                       [parts, context](std::int64_t calls) {
                         const auto guarded = guard::pipeline(guard::Retrying{parts->policy, parts->plenty});
                         for (std::int64_t i = 0; i < calls; ++i)
                           keep(guarded.run(context, [](const Context& inner) -> Result<int> {
                             if (inner.attempt == 1) return fail(Errc::unavailable, "no");
                             return plain(inner);
                           }));
                       },
                   .state_bytes = budget_bytes});
  return cases;
}

}  // namespace serin::resilience
