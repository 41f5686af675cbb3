// What a rollout of 15 minutes costs to play, and what of it is ours: `serin judge simulate` is to play 10,000 in less
// than a minute of one core.
#include <benchmark/benchmark.h>

#include "serin/trials/trial.hpp"

namespace {

using namespace serin::trials;

Scenario scenario_of(double errors, double times) {
  Scenario scenario;
  scenario.name = "bench";
  scenario.errors = errors;
  scenario.times = times;
  return scenario;
}

void rollout(benchmark::State& state, const ContenderKind& kind, const Scenario& scenario) {
  std::uint64_t number = 0;
  for (auto _ : state) benchmark::DoNotOptimize(play(scenario, kind, 1, number++));
}

void serin_healthy(benchmark::State& state) { rollout(state, serin_judge({}), scenario_of(0.002, 1)); }
void serin_many_errors(benchmark::State& state) { rollout(state, serin_judge({}), scenario_of(0.05, 1)); }
void kayenta_healthy(benchmark::State& state) { rollout(state, kayenta_rule(), scenario_of(0.002, 1)); }
void flagger_healthy(benchmark::State& state) { rollout(state, flagger_rule(5), scenario_of(0.002, 1)); }
BENCHMARK(serin_healthy)->Unit(benchmark::kMillisecond);
BENCHMARK(serin_many_errors)->Unit(benchmark::kMillisecond);
BENCHMARK(kayenta_healthy)->Unit(benchmark::kMillisecond);
BENCHMARK(flagger_healthy)->Unit(benchmark::kMillisecond);

}  // namespace
