// B14: what the coroutine form costs a call that succeeds, beside a bare co_await of the same work. One coroutine makes
// all calls of a run, so that its own start does not count; the clock is a fake one.
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

#include "serin/async/async_run.hpp"
#include "serin/async/manual_sleeper.hpp"

namespace {

using namespace serin;
using namespace serin::async;

struct Counting final : Random {
  std::uint64_t next() override { return state += 0x9E3779B97F4A7C15ULL; }
  std::uint64_t state = 0;
};

struct Parts {
  asio::io_context io{1};
  ManualSleeper time;
  Counting random;
  AsyncContext context{
      .sleeper = time, .random = random, .deadline = Deadline::never(), .idempotency = Idempotency::idempotent};
  retry::Retry policy = retry::Retry::make({}).value();
  retry::TokenBudget budget{};
  std::unique_ptr<breaker::Breaker> breaker = breaker::Breaker::make({.name = "db"}).value();
  std::unique_ptr<limit::Bulkhead> bulkhead = limit::Bulkhead::make({.name = "db"}).value();
  std::unique_ptr<guard::Hedge> hedge = guard::Hedge::make({.name = "db", .percentile = 0.95}).value();
};

asio::awaitable<Result<int>> plain(AsyncContext context) { co_return context.attempt; }

struct Plain {
  asio::awaitable<Result<int>> operator()(const AsyncContext& context) const { return plain(context); }
};

asio::awaitable<void> bare(benchmark::State& state, Parts& parts) {
  for (auto _ : state) benchmark::DoNotOptimize(co_await plain(parts.context));
}
template <class Pipeline>
asio::awaitable<void> guarded_calls(benchmark::State& state, Parts& parts, Pipeline guarded) {
  for (auto _ : state) benchmark::DoNotOptimize(co_await async_run(guarded, parts.context, Plain{}));
}
void run(Parts& parts, asio::awaitable<void> calls) {
  asio::co_spawn(parts.io, std::move(calls), [](const std::exception_ptr&) {});
  parts.io.run();
}

void b14_bare_co_await(benchmark::State& state) {
  Parts parts;
  run(parts, bare(state, parts));
}
BENCHMARK(b14_bare_co_await);
void b14_empty_pipeline(benchmark::State& state) {
  Parts parts;
  run(parts, guarded_calls(state, parts, guard::pipeline()));
}
BENCHMARK(b14_empty_pipeline);
void b14_retry(benchmark::State& state) {
  Parts parts;
  run(parts, guarded_calls(state, parts, guard::pipeline(guard::Retrying{parts.policy, parts.budget})));
}
BENCHMARK(b14_retry);
void b14_retry_bulkhead_breaker(benchmark::State& state) {
  Parts parts;
  run(parts, guarded_calls(state, parts,
                           guard::pipeline(guard::Retrying{parts.policy, parts.budget}, guard::Bounded{*parts.bulkhead},
                                           guard::Breaking{*parts.breaker})));
}
BENCHMARK(b14_retry_bulkhead_breaker);
void b14_five_elements_with_real_timeouts(benchmark::State& state) {
  Parts parts;
  run(parts, guarded_calls(state, parts,
                           guard::pipeline(guard::TotalDeadline{10s}, guard::Retrying{parts.policy, parts.budget},
                                           guard::Bounded{*parts.bulkhead}, guard::AttemptTimeout{1s},
                                           guard::Breaking{*parts.breaker})));
}
BENCHMARK(b14_five_elements_with_real_timeouts);
void b14_hedging(benchmark::State& state) {
  Parts parts;
  run(parts, guarded_calls(state, parts, guard::pipeline(guard::Hedging{*parts.hedge, parts.budget})));
}
BENCHMARK(b14_hedging);

}  // namespace
