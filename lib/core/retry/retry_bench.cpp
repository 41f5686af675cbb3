// What a budget costs each call (B4: a deposit) and each retry, alone and with a second thread on the same one. The
// threads' sum is checked in the same run: a budget that is quick and wrong is reported as an error. State sizes are
// labels. Budget: 10 ns a call alone, no allocation.
#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>

#include "serin/retry/retry.hpp"

namespace {

using serin::retry::InFlightBudget;
using serin::retry::Quota;
using serin::retry::TokenBudget;

void size(benchmark::State& state, std::size_t bytes) { state.counters["bytes"] = static_cast<double>(bytes); }

void token_budget_deposit(benchmark::State& state) {
  TokenBudget budget({.ratio = 1e-6, .most = 1e6});
  while (budget.left() > 0.5) benchmark::DoNotOptimize(budget.try_retry(false));
  for (auto _ : state) budget.on_call();
  size(state, sizeof budget);
}
BENCHMARK(token_budget_deposit);

void in_flight_budget_call(benchmark::State& state) {
  InFlightBudget budget;
  for (auto _ : state) {
    budget.on_call();
    budget.on_call_end(true);
  }
  size(state, sizeof budget);
}
BENCHMARK(in_flight_budget_call);

void quota_call(benchmark::State& state) {
  Quota budget;
  for (auto _ : state) {
    budget.on_call();
    budget.on_call_end(true);
  }
  size(state, sizeof budget);
}
BENCHMARK(quota_call);

/// Two deposits of a half for each retry: what is granted can never be more than what was there and what came.
void token_budget_shared(benchmark::State& state) {
  static std::unique_ptr<TokenBudget> budget;
  static std::atomic<std::int64_t> calls{0};
  static std::atomic<std::int64_t> granted{0};
  static std::atomic<int> done{0};
  if (state.thread_index() == 0) {
    budget = std::make_unique<TokenBudget>(serin::retry::TokenBudgetOptions{.ratio = 0.5, .most = 1e6});
    calls = 0;
    granted = 0;
    done = 0;
  }
  std::int64_t my_calls = 0;
  std::int64_t my_granted = 0;
  for (auto _ : state) {
    budget->on_call();
    ++my_calls;
    my_granted += budget->try_retry(false) ? 1 : 0;
  }
  calls += my_calls;
  granted += my_granted;
  if (done.fetch_add(1) + 1 == state.threads()) {
    // Drained by one a call and filled by half: all that was deposited beyond the cap is lost, nothing is invented.
    const auto left = static_cast<std::int64_t>(budget->left() * 1e6 + 0.5);
    if (granted + left > 1'000'000 + calls / 2 + 1) state.SkipWithError("more was granted than was allowed");
    if (granted > 10 && granted + left + state.threads() < 1'000'000 + calls / 2 - calls / 100 - 10)
      state.SkipWithError("less was granted than was allowed");
  }
}
BENCHMARK(token_budget_shared)->Threads(1)->Threads(2)->UseRealTime();

void wait_of_full_jitter(benchmark::State& state) {
  const auto retry = serin::retry::Retry::make({}).value();
  std::uint64_t random = 1;
  for (auto _ : state) benchmark::DoNotOptimize(retry.backoff().wait(3, random += 0x9E3779B97F4A7C15ULL, {}));
  size(state, sizeof retry);
}
BENCHMARK(wait_of_full_jitter);

}  // namespace
