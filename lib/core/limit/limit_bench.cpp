// What each limit costs a call that it lets through, beside a semaphore of the standard library; B6 token bucket, B7
// GCRA, B9 adaptive limit. Those with one and two threads are shared by them, and what they granted is compared with
// what is allowed in the same run. `bytes` is the state of one. Budget: 20 ns alone, no allocation.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <semaphore>

#include "serin/limit/adaptive.hpp"
#include "serin/limit/bulkhead.hpp"
#include "serin/limit/rate.hpp"
#include "serin/limit/send_rate.hpp"
#include "serin/limit/token_bucket.hpp"

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

void adaptive(benchmark::State& state) {
  auto limit = serin::limit::AdaptiveLimit::make({.name = "db"}).value();
  for (auto _ : state) limit->try_enter()->report(serin::OutcomeClass::success, 10ms);
  state.counters["bytes"] = sizeof(serin::limit::AdaptiveLimit);
}
BENCHMARK(adaptive);

template <class Rate>
void one_thread(benchmark::State& state) {
  auto limit = Rate::make({.name = "api", .rate = 1e9, .burst = 1e6}).value();
  serin::Instant now(1h);
  for (auto _ : state) {
    now += 1us;
    benchmark::DoNotOptimize(limit->take(now));
  }
  state.counters["bytes"] = sizeof(Rate);
}
BENCHMARK(one_thread<serin::limit::TokenBucket>)->Name("token_bucket");
BENCHMARK(one_thread<serin::limit::RateLimit>)->Name("gcra");

/// Threads that share one limit and one clock, which moves 1 us for each question; 10,000 a second are allowed.
template <class Rate>
void shared(benchmark::State& state) {
  static std::unique_ptr<Rate> limit;
  static std::atomic<std::int64_t> clock{0};
  static std::atomic<std::int64_t> granted{0};
  static std::atomic<int> done{0};
  constexpr double rate = 10'000;
  constexpr double burst = 100;
  if (state.thread_index() == 0) {
    limit = Rate::make({.name = "api", .rate = rate, .burst = burst}).value();
    clock = 0;
    granted = 0;
    done = 0;
  }
  std::int64_t mine = 0;
  for (auto _ : state) {
    const serin::Instant now = serin::Instant(1h) + clock.fetch_add(1, std::memory_order_relaxed) * 1us;
    mine += limit->take(now) ? 0 : 1;
  }
  granted += mine;
  if (done.fetch_add(1) + 1 == state.threads()) {
    // Everybody asks far more often than is allowed, so what is granted is what is allowed, to a call at each end.
    const double allowed = std::min(static_cast<double>(clock), burst + rate * static_cast<double>(clock) / 1e6);
    if (std::abs(static_cast<double>(granted) - allowed) > 2) state.SkipWithError("granted is not allowed");
  }
}
BENCHMARK(shared<serin::limit::TokenBucket>)->Name("token_bucket_shared")->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(shared<serin::limit::RateLimit>)->Name("gcra_shared")->Threads(1)->Threads(2)->UseRealTime();

template <serin::limit::Algorithm algorithm>
void adaptive_shared(benchmark::State& state) {
  static std::unique_ptr<serin::limit::AdaptiveLimit> limit;
  static std::atomic<int> inside{0};
  static std::atomic<bool> too_many{false};
  if (state.thread_index() == 0) {
    limit = serin::limit::AdaptiveLimit::make({.name = "db", .algorithm = algorithm, .first = 1, .least = 1, .most = 1})
                .value();
    too_many = false;
  }
  for (auto _ : state)
    if (auto permit = limit->try_enter()) {
      if (inside.fetch_add(1) != 0) too_many = true;
      inside.fetch_sub(1);
      permit->report(serin::OutcomeClass::success, 10ms);
    }
  if (too_many) state.SkipWithError("more inside than the limit");
  state.counters["bytes"] = sizeof(serin::limit::AdaptiveLimit);
}
BENCHMARK(adaptive_shared<serin::limit::Algorithm::gradient2>)
    ->Name("adaptive_shared")
    ->Threads(1)
    ->Threads(2)
    ->UseRealTime();

void send_rate(benchmark::State& state) {
  auto limit = serin::limit::SendRate::make({.name = "api"}).value();
  serin::Instant now(1h);
  for (int i = 0; i < 1000; ++i, now += 1ms) limit->report(serin::OutcomeClass::success, now, now);
  limit->report(serin::OutcomeClass::throttled, now, now);
  for (auto _ : state) {
    now += 10ms;
    benchmark::DoNotOptimize(limit->take(now));
    limit->report(serin::OutcomeClass::success, now, now);
  }
  state.counters["bytes"] = sizeof(serin::limit::SendRate);
}
BENCHMARK(send_rate);

}  // namespace
