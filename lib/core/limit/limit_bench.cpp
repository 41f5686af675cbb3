// What each limit costs a call that it lets through, beside a semaphore of the standard library. Budget: 20 ns, no
// allocation.
#include <benchmark/benchmark.h>

#include <semaphore>

#include "serin/limit/adaptive.hpp"
#include "serin/limit/bulkhead.hpp"
#include "serin/limit/rate.hpp"

namespace {

using namespace std::chrono_literals;

void bulkhead(benchmark::State& state) {
  auto limit = serin::limit::Bulkhead::make({.name = "db"}).value();
  for (auto _ : state) benchmark::DoNotOptimize(limit->try_enter());
}
BENCHMARK(bulkhead);

void standard_semaphore(benchmark::State& state) {
  std::counting_semaphore<16> semaphore(16);
  for (auto _ : state) {
    benchmark::DoNotOptimize(semaphore.try_acquire());
    semaphore.release();
  }
}
BENCHMARK(standard_semaphore);

void rate(benchmark::State& state) {
  auto limit = serin::limit::RateLimit::make({.name = "api", .rate = 1e9, .burst = 1e6}).value();
  serin::Instant now(1h);
  for (auto _ : state) {
    now += 1us;
    benchmark::DoNotOptimize(limit->take(now));
  }
}
BENCHMARK(rate);

void adaptive(benchmark::State& state) {
  auto limit = serin::limit::AdaptiveLimit::make({.name = "db"}).value();
  for (auto _ : state) limit->try_enter()->report(serin::OutcomeClass::success, 10ms);
}
BENCHMARK(adaptive);

}  // namespace
