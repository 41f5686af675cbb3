// Paid on every outbound call of every service. Beside it what people write by hand: a mutex around a deque of
// outcomes. Budget: 50 ns a call without its clock, no allocation once it is made.
#include <benchmark/benchmark.h>

#include <deque>
#include <mutex>

#include "serin/breaker/breaker.hpp"

namespace {

using serin::Instant;
using serin::OutcomeClass;
using namespace std::chrono_literals;

void success_through_a_closed_breaker(benchmark::State& state) {
  auto breaker = serin::breaker::Breaker::make({.name = "db"}).value();
  Instant now(1h);
  for (auto _ : state) {
    auto permit = breaker->acquire(now);
    permit->report(OutcomeClass::success, 1ms, now);
  }
}
BENCHMARK(success_through_a_closed_breaker);

void success_through_a_time_window(benchmark::State& state) {
  auto breaker = serin::breaker::Breaker::make({.name = "db", .window = serin::breaker::WindowKind::time}).value();
  Instant now(1h);
  for (auto _ : state) {
    now += 1us;
    auto permit = breaker->acquire(now);
    permit->report(OutcomeClass::success, 1ms, now);
  }
}
BENCHMARK(success_through_a_time_window);

void by_hand_a_mutex_and_a_deque(benchmark::State& state) {
  std::mutex mutex;
  std::deque<bool> last;
  int failures = 0;
  for (auto _ : state) {
    {
      const std::scoped_lock lock(mutex);
      benchmark::DoNotOptimize(last.size() < 100 || failures * 2 < static_cast<int>(last.size()));
    }
    const std::scoped_lock lock(mutex);
    last.push_back(true);
    if (last.size() > 100) {
      failures -= last.front() ? 0 : 1;
      last.pop_front();
    }
  }
}
BENCHMARK(by_hand_a_mutex_and_a_deque);

}  // namespace
