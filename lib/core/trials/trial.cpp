#include "serin/trials/trial.hpp"

#include <algorithm>

#include "serin/base/split_mix.hpp"
#include "serin/judge/special.hpp"

namespace serin::trials {
namespace {

constexpr std::int64_t shortest_stage = 10;  // seconds before health may end it, as a plan's min_stage

/// A seed of its own for each run, so that any thread may play any of them.
std::uint64_t seed_of(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t state = seed + 0x632BE59BD9B4E019ULL * (number + 1);
  return split_mix(state);
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

std::optional<double> median_of(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  return median(values);
}

void learn(Contender& judge, TrafficOfPlay& traffic, const Scenario& scenario) {
  const std::int64_t step = before_step(scenario);
  for (std::int64_t second = -scenario.history_seconds; second + step <= 0; second += step)
    judge.learn(traffic.before(second, step));
}

}  // namespace

Trial play(const Scenario& scenario, const ContenderKind& kind, std::uint64_t seed, std::uint64_t number,
           Promotion promotion) {
  TrafficOfPlay traffic(scenario, seed_of(seed, number));
  const std::unique_ptr<Contender> judge = kind.make(scenario);
  learn(*judge, traffic, scenario);
  Trial trial;
  std::int64_t second = 0;
  const auto ended = [&](Say say) {
    if (say != Say::roll_back && say != Say::hold) return false;
    trial.ending = say == Say::roll_back ? Ending::rolled_back : Ending::held;
    return true;
  };
  for (std::size_t stage = 0; stage < scenario.stages.size(); ++stage) {
    const StageOfPlay& plan = scenario.stages[stage];
    const bool last = stage + 1 == scenario.stages.size();
    judge->enter(static_cast<int>(stage));
    for (std::int64_t gone = 0; gone < plan.seconds;) {
      const std::int64_t step = std::min(scenario.bucket_seconds, plan.seconds - gone);
      const Tick tick = traffic.next(second, step, plan.percent);
      trial.canary_failures += tick.requests.canary_errors;
      trial.blamed += static_cast<double>(tick.requests.canary_requests) *
                      std::max(0.0, scenario.canary_rate(second) - scenario.baseline_rate(second));
      const Say say = judge->look(tick);
      second += step;
      gone += step;
      trial.second = static_cast<std::int32_t>(second);
      if (ended(say)) return trial;
      if (say != Say::healthy) continue;
      if (last && trial.proved < 0) trial.proved = trial.second;
      if (promotion == Promotion::early && gone >= shortest_stage) break;
    }
    if (ended(judge->leave(static_cast<int>(stage)))) return trial;
  }
  return trial;
}

void play_some(const Scenario& scenario, const ContenderKind& kind, std::uint64_t seed, std::uint64_t first,
               std::span<Trial> places, Promotion promotion) {
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = play(scenario, kind, seed, first + i, promotion);
}

Characteristics characterise(std::span<const Trial> trials) {
  Characteristics out{.runs = static_cast<std::int64_t>(trials.size())};
  std::vector<double> seconds;
  std::vector<double> proofs;
  std::vector<double> ends;
  for (const Trial& trial : trials) {
    ends.push_back(trial.second);
    out.canary_failures += static_cast<double>(trial.canary_failures);
    out.blamed += trial.blamed;
    if (trial.proved >= 0) proofs.push_back(trial.proved);
    switch (trial.ending) {
      case Ending::finished: break;
      case Ending::rolled_back:
        ++out.rolled_back;
        seconds.push_back(trial.second);
        break;
      case Ending::held: ++out.held; break;
    }
  }
  out.proved = static_cast<std::int64_t>(proofs.size());
  if (trials.empty()) return out;
  const auto runs = static_cast<double>(out.runs);
  out.canary_failures /= runs;
  out.blamed /= runs;
  const judge::Proportion interval = judge::wilson(static_cast<double>(out.rolled_back), runs, 0.95);
  out.rolled_back_low = interval.low;
  out.rolled_back_high = interval.high;
  out.median_second = median_of(std::move(seconds));
  out.median_proof = median_of(std::move(proofs));
  out.median_end = median(ends);
  return out;
}

}  // namespace serin::trials
