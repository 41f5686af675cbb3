#include "serin/fleet_models/accuracy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace serin::fleet {
namespace {

constexpr std::string_view baseline_name = "naive";
constexpr std::size_t minutes_games = 7;

struct Sum {
  double error = 0;
  std::size_t right = 0;
  std::size_t sides = 0;
};
struct SeasonSum {
  std::size_t predictions = 0;
  std::map<std::string, Sum, std::less<>> models;
};

double recent_minutes(const Features& features) {
  const std::size_t count = std::min(minutes_games, features.recent.size());
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += features.recent[i].minutes;
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

void count_side(Sum& sum, const Prediction& prediction, double actual) {
  if (prediction.recommendation == Recommendation::pass || actual == prediction.line) return;
  ++sum.sides;
  if ((prediction.recommendation == Recommendation::over) == (actual > prediction.line)) ++sum.right;
}

SeasonScore score_of(const std::string& season, const SeasonSum& sum) {
  SeasonScore score{.season = season, .predictions = sum.predictions, .models = {}};
  if (sum.predictions == 0) return score;
  const double naive = sum.models.at(std::string(baseline_name)).error / static_cast<double>(sum.predictions);
  const auto add = [&](std::string_view name) {
    const Sum& of = sum.models.at(std::string(name));
    const double error = of.error / static_cast<double>(sum.predictions);
    score.models.push_back(
        {.model = std::string(name),
         .absolute_error = error,
         .improvement = naive > 0 ? 100 * (1 - error / naive) : 0,
         .side_right = of.sides > 0 ? static_cast<double>(of.right) / static_cast<double>(of.sides) : 0,
         .sides = of.sides});
  };
  add(baseline_name);
  for (const std::string_view name : ModelSet::names) add(name);
  return score;
}

}  // namespace

bool AccuracyReport::ensemble_beats_baseline() const {
  if (seasons.empty() || seasons.back().models.empty()) return false;
  const auto& models = seasons.back().models;
  return models.back().absolute_error < models.front().absolute_error;
}

Result<AccuracyReport> measure_accuracy(const History& history, const ModelSet& models,
                                        const AccuracyOptions& options) {
  std::map<std::string, SeasonSum> seasons;
  for (const Appearance& game : history.games()) seasons.try_emplace(game.season);
  for (const std::string& wanted : options.seasons)
    if (!seasons.contains(wanted))
      return fail(Errc::invalid_argument, fmt::format("there is no season {} in these games", wanted));
  SeasonSum all;
  for (const Appearance& game : history.games()) {
    if (!options.seasons.empty() && std::ranges::find(options.seasons, game.season) == options.seasons.end()) continue;
    const Result<Features> features = history.features({.player_id = game.player_id,
                                                        .game_id = game.game_id,
                                                        .date = game.date,
                                                        .season = game.season,
                                                        .team = game.team,
                                                        .opponent = game.opponent,
                                                        .home = game.home});
    if (!features || features->season_games < options.season_games) continue;
    if (history.sport() == Sport::nba && recent_minutes(*features) < options.minutes) continue;
    SeasonSum& season = seasons.at(game.season);
    for (SeasonSum* sum : {&season, &all}) {
      ++sum->predictions;
      sum->models[std::string(baseline_name)].error += std::abs(naive_baseline(*features).value_or(0) - game.value);
    }
    for (const std::string_view name : ModelSet::names) {
      SERIN_TRY(const Prediction prediction, models.predict(name, *features));
      for (SeasonSum* sum : {&season, &all}) {
        Sum& of = sum->models[std::string(name)];
        of.error += std::abs(prediction.value - game.value);
        count_side(of, prediction, game.value);
      }
    }
  }
  AccuracyReport report{.sport = history.sport(), .seasons = {}};
  for (const auto& [season, sum] : seasons)
    if (sum.predictions > 0) report.seasons.push_back(score_of(season, sum));
  report.seasons.push_back(score_of("all", all));
  return report;
}

}  // namespace serin::fleet
