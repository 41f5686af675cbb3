// What protection costs a call that succeeds, above a plain call through a function that is not inlined; the clock is a
// fake one, and one read of the real clock beside it. Budget: five elements 120 ns (Polly v8 publishes 766 ns for its
// five).
#include <benchmark/benchmark.h>

#include <chrono>

#include "serin/guard/pipeline.hpp"

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
  measure(state, parts, pipeline());
}
BENCHMARK(b0_plain_call);
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
void b12_rejected_by_an_open_breaker(benchmark::State& state) {
  Parts parts;
  parts.breaker->set_override(breaker::Override::forced_open, Instant(1h));
  measure(state, parts, pipeline(Breaking{*parts.breaker}));
}
BENCHMARK(b12_rejected_by_an_open_breaker);

}  // namespace
