#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/fleet_models/history.hpp"
#include "serin/fleet_models/model_set.hpp"

namespace serin::fleet {

/// Which games are counted: those that the fleet would have predicted, so that no easy or hopeless ones are mixed in.
struct AccuracyOptions {
  int season_games = 3;              ///< at least so many games played this season before the game; >= 1
  double minutes = 15;               ///< NBA: mean of the last 7 games, at least
  std::vector<std::string> seasons;  ///< nothing: all
};

struct ModelScore {
  std::string model;          ///< "naive" for the baseline
  double absolute_error = 0;  ///< mean
  double improvement = 0;     ///< over the baseline, in percent; negative: worse
  double side_right = 0;      ///< share of OVER and UNDER that came true, against the player's own line; 0 without any
  std::size_t sides = 0;      ///< how many OVER and UNDER; games that ended on the line are not counted
};
struct SeasonScore {
  std::string season;  ///< "all" for the sum
  std::size_t predictions = 0;
  std::vector<ModelScore> models;  ///< the baseline first, the ensemble last
};
struct AccuracyReport {
  Sport sport = Sport::nba;
  std::vector<SeasonScore> seasons;  ///< in order; "all" last

  /// Of the last entry. Whether the ensemble is better than the baseline; false without predictions.
  [[nodiscard]] bool ensemble_beats_baseline() const;
};

/// Walks forward in time: each game is predicted from the days before it, then compared with what happened.
/// Errors: invalid_argument for a season that is not there; what a model answered. Pure.
Result<AccuracyReport> measure_accuracy(const History& history, const ModelSet& models, const AccuracyOptions& options);

}  // namespace serin::fleet
