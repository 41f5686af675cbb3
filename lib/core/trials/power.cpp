#include "serin/trials/power.hpp"

#include <algorithm>
#include <cmath>

namespace serin::trials {
namespace {

constexpr double enough = 0.8;
constexpr double step = 1.25;
constexpr double least_rate = 0.0005;  // regressions below the absolute margin are none

Scenario scenario_of(const PowerQuestion& question, const StageOfPlay& stage) {
  Scenario scenario;
  scenario.name = "plan";
  scenario.rate = question.rate;
  scenario.errors = question.errors;
  scenario.history_seconds = question.history_seconds;
  scenario.stages = {stage};
  // The variance of geometric clumps of mean B over their mean is 2 B - 1.
  scenario.burst = std::max(1.0, (question.dispersion + 1) / 2);
  return scenario;
}

/// Error rates of a canary from hardly worse to all.
std::vector<double> ladder(double errors) {
  std::vector<double> rates;
  for (double rate = std::max(errors * 1.5, errors + least_rate); rate < 1; rate *= step) rates.push_back(rate);
  rates.push_back(1);
  return rates;
}

struct Answer {
  double found = 0;
  Characteristics what;
};

Answer ask(const PowerQuestion& question, const Player& player, Scenario scenario, double canary_errors) {
  scenario.plus = canary_errors - scenario.errors;
  Answer answer{.what = characterise(
                    player(scenario, serin_judge(question.judge), question.runs, question.seed, Promotion::on_time))};
  answer.found =
      static_cast<double>(answer.what.rolled_back) / static_cast<double>(std::max<std::int64_t>(1, question.runs));
  return answer;
}

void find_smallest(const PowerQuestion& question, const Player& player, const Scenario& scenario, StageSight& sight) {
  const std::vector<double> rates = ladder(question.errors);
  std::size_t low = 0;
  std::size_t high = rates.size();  // the first that is found is in [low, high); high: none is
  std::optional<Answer> best;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const Answer answer = ask(question, player, scenario, rates[middle]);
    if (answer.found >= enough) {
      high = middle;
      best = answer;
    } else {
      low = middle + 1;
    }
  }
  if (!best) return;
  sight.smallest = rates[high];
  sight.found = best->found;
  sight.seconds = best->what.median_second.value_or(0);
  sight.failed = best->what.canary_failures;
}

}  // namespace

bool PlanSight::blind() const noexcept {
  return std::ranges::all_of(stages, [](const StageSight& sight) { return sight.blind(); });
}

PlanSight look_at_plan(const PowerQuestion& question, const Player& player) {
  PlanSight out;
  for (const StageOfPlay& stage : question.stages) {
    const Scenario scenario = scenario_of(question, stage);
    StageSight sight{.stage = stage,
                     .canary_requests = question.rate * stage.percent / 100 * static_cast<double>(stage.seconds)};
    find_smallest(question, player, scenario, sight);
    const Characteristics healthy =
        characterise(player(scenario, serin_judge(question.judge), question.runs, question.seed, Promotion::on_time));
    sight.proved = static_cast<double>(healthy.proved) / static_cast<double>(std::max<std::int64_t>(1, question.runs));
    sight.proof_seconds = healthy.median_proof;
    out.stages.push_back(sight);
  }
  return out;
}

}  // namespace serin::trials
