// What a bucket of evidence costs, beside what a fixed-horizon test (two proportions, chi squared) costs on the same
// counts: the price of being allowed to look at any time.
#include <benchmark/benchmark.h>

#include "serin/judge/canary_judge.hpp"
#include "serin/judge/error_judge.hpp"

namespace {

void add_bucket(benchmark::State& state) {
  auto judge = serin::judge::ErrorJudge::make({}).value();
  for (auto _ : state) {
    judge.add({.canary_requests = 25, .canary_errors = 1, .baseline_requests = 475, .baseline_errors = 2});
    benchmark::DoNotOptimize(judge.verdict());
  }
}
BENCHMARK(add_bucket);

void canary_judge_without_errors(benchmark::State& state) {
  auto judge =
      serin::judge::CanaryJudge::make({.history = serin::judge::History{.requests = 360'000, .errors = 720}}).value();
  for (auto _ : state) {
    judge.add({.canary_requests = 5, .baseline_requests = 95});
    benchmark::DoNotOptimize(judge.guilt());
  }
}
BENCHMARK(canary_judge_without_errors);

void canary_judge_with_errors(benchmark::State& state) {
  auto judge =
      serin::judge::CanaryJudge::make({.history = serin::judge::History{.requests = 360'000, .errors = 7200}}).value();
  for (auto _ : state) {
    judge.add({.canary_requests = 50, .canary_errors = 1, .baseline_requests = 50, .baseline_errors = 1});
    benchmark::DoNotOptimize(judge.guilt());
  }
}
BENCHMARK(canary_judge_with_errors);

void chi_squared_each_look(benchmark::State& state) {
  double canary = 0;
  double canary_errors = 0;
  double baseline = 0;
  double baseline_errors = 0;
  for (auto _ : state) {
    canary += 25;
    canary_errors += 1;
    baseline += 475;
    baseline_errors += 2;
    const double all = canary + baseline;
    const double rate = (canary_errors + baseline_errors) / all;
    const double expected = canary * rate;
    const double difference = canary_errors - expected;
    benchmark::DoNotOptimize(difference * difference / (expected * (1 - rate) * baseline / all));
  }
}
BENCHMARK(chi_squared_each_look);

}  // namespace
