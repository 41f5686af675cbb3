// What protection costs a call that succeeds, above a plain call through a function that is not inlined; the clock is a
// fake one, and one read of the real clock beside it. Budget: five elements 120 ns (Polly v8 publishes 766 ns for its
// five). Then the same with somebody who listens, and with hedging.
#include <benchmark/benchmark.h>

#include <chrono>

#include "serin/guard/pipeline.hpp"
#include "serin/guard/recorders.hpp"
#include "serin/system/tasks.hpp"

namespace {

using namespace serin;
using namespace serin::guard;

struct StillSleeper final : Sleeper {
  Instant now() const override { return Instant(1h); }
  WallTime wall() const override { return {}; }
  Status sleep_until(Instant) override { return {}; }
  Result<bool> wait(Event& event, Instant) override { return event.is_set(); }
};
struct Counting final : Random {
  std::uint64_t next() override { return state += 0x9E3779B97F4A7C15ULL; }
  std::uint64_t state = 0;
};

[[gnu::noinline]] Result<int> plain(const Context& context) { return context.attempt; }

struct Parts {
  StillSleeper sleeper;
  Counting random;
  Context context{.sleeper = sleeper, .random = random, .deadline = Deadline::never()};
  retry::Retry policy = retry::Retry::make({}).value();
  retry::TokenBudget budget{};
  std::unique_ptr<breaker::Breaker> breaker = breaker::Breaker::make({.name = "db"}).value();
  std::unique_ptr<limit::Bulkhead> bulkhead = limit::Bulkhead::make({.name = "db"}).value();
};

template <class Guarded>
void measure(benchmark::State& state, Parts& parts, const Guarded& guarded) {
  for (auto _ : state) benchmark::DoNotOptimize(guarded.run(parts.context, plain));
}

void b0_plain_call(benchmark::State& state) {
  Parts parts;
  for (auto _ : state) benchmark::DoNotOptimize(plain(parts.context));
}
BENCHMARK(b0_plain_call);
void b0_no_element(benchmark::State& state) {
  Parts parts;
  measure(state, parts, pipeline());
}
BENCHMARK(b0_no_element);
void b1_retry(benchmark::State& state) {
  Parts parts;
  measure(state, parts, pipeline(Retrying{parts.policy, parts.budget}));
}
BENCHMARK(b1_retry);
void b2_breaker(benchmark::State& state) {
  Parts parts;
  measure(state, parts, pipeline(Breaking{*parts.breaker}));
}
BENCHMARK(b2_breaker);
void b5_bulkhead(benchmark::State& state) {
  Parts parts;
  measure(state, parts, pipeline(Bounded{*parts.bulkhead}));
}
BENCHMARK(b5_bulkhead);
void b10_five_elements(benchmark::State& state) {
  Parts parts;
  measure(state, parts,
          pipeline(TotalDeadline{10s}, Retrying{parts.policy, parts.budget}, Bounded{*parts.bulkhead},
                   AttemptTimeout{1s}, Breaking{*parts.breaker}));
}
BENCHMARK(b10_five_elements);

/// Hears everything and does next to nothing: what being heard costs by itself.
struct Tally {
  std::int64_t& count;
  void on_event(const Happening&) const noexcept { ++count; }
};
template <class Observer>
void five_observed(benchmark::State& state, const Observer& observer) {
  Parts parts;
  measure(state, parts,
          pipeline(TotalDeadline{10s}, Retrying{parts.policy, parts.budget}, Bounded{*parts.bulkhead},
                   AttemptTimeout{1s}, Breaking{*parts.breaker})
              .observed(observer));
}
void b11_five_elements_empty_observer(benchmark::State& state) { five_observed(state, NoObserver{}); }
BENCHMARK(b11_five_elements_empty_observer);
void b11_five_elements_counting_observer(benchmark::State& state) {
  std::int64_t count = 0;
  five_observed(state, Tally{count});
}
BENCHMARK(b11_five_elements_counting_observer);
void b11_five_elements_metrics(benchmark::State& state) {
  metrics::Registry registry;
  TargetMetrics counted(registry, "db");
  five_observed(state, MetricsObserver{counted});
}
BENCHMARK(b11_five_elements_metrics);
void hedging_without_threads(benchmark::State& state) {
  Parts parts;
  auto hedge = Hedge::make({.name = "db"}).value();
  measure(state, parts, pipeline(Hedging{*hedge, parts.budget}));
}
BENCHMARK(hedging_without_threads);
/// The real hand-over of a call to a thread and back; the clock stands still, so no hedge is ever due.
void hedging_on_threads(benchmark::State& state) {
  struct Blocking final : Sleeper {
    Instant now() const override { return Instant(1h); }
    WallTime wall() const override { return {}; }
    Status sleep_until(Instant) override { return {}; }
    Result<bool> wait(Event& event, Instant) override {
      const std::atomic<bool> never = false;
      return event.block_until(Instant::max(), never);
    }
  };
  Parts parts;
  Blocking sleeper;
  SystemTasks tasks(2);
  auto hedge = Hedge::make({.name = "db"}).value();
  const auto guarded = pipeline(Hedging{*hedge, parts.budget});
  const Context context{.sleeper = sleeper,
                        .random = parts.random,
                        .deadline = Deadline::never(),
                        .idempotency = Idempotency::idempotent,
                        .tasks = &tasks};
  for (auto _ : state) benchmark::DoNotOptimize(guarded.run(context, plain));
}
BENCHMARK(hedging_on_threads)->UseRealTime();
void b12_rejected_by_an_open_breaker(benchmark::State& state) {
  Parts parts;
  parts.breaker->set_override(breaker::Override::forced_open, Instant(1h));
  measure(state, parts, pipeline(Breaking{*parts.breaker}));
}
BENCHMARK(b12_rejected_by_an_open_breaker);

}  // namespace
