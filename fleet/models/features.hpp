#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/fleet_data/records.hpp"

namespace serin::fleet {

/// One past game as the models see it. "Value" is what is predicted: points (NBA), strikeouts (MLB).
struct PastGame {
  std::int64_t date = 0;    ///< days since 1970-01-01
  bool same_season = true;  ///< as the game that is to be predicted
  bool home = false;
  int rest_days = 0;   ///< days since the player's game before, at most 10
  double minutes = 0;  ///< MLB: innings of the team in the field
  double volume = 0;   ///< NBA: shots taken (field goals + 0.44 free throws); MLB: 0
  double value = 0;
  double opponent = 0;  ///< what the opponent gave up above (+) or below (-) the usual, as known before that game
  double park = 0;      ///< likewise the place

  friend bool operator==(const PastGame&, const PastGame&) = default;
};

/// What is known about one player before one game; everything a model may look at. It is stored by one service and
/// read by another, so it holds plain numbers and no reference to anything.
struct Features {
  static constexpr int current_version = 1;

  int version = current_version;
  Sport sport = Sport::nba;
  std::string player_id;
  std::string game_id;
  std::int64_t date = 0;  ///< of the game; every number below is from games before this day
  std::string season;
  std::string team;
  std::string opponent;
  bool home = false;
  int rest_days = 0;  ///< since the last game, at most 10; 10 also for the first game

  int season_games = 0;       ///< played this season
  double season_mean = 0;     ///< of the value; 0 without games
  double season_minutes = 0;  ///< mean
  int career_games = 0;       ///< played in any season that is known
  double career_mean = 0;
  double career_minutes = 0;
  int prior_games = 0;  ///< played in the season before this one
  double prior_mean = 0;

  double league_mean = 0;       ///< of the value, over all players and the season so far (last season's, early on)
  double league_home_edge = 0;  ///< mean value at home minus away, league-wide
  double opponent_edge = 0;     ///< what this opponent gives up above (+) or below (-) the usual; shrunk to 0 early on
  double team_edge = 0;         ///< likewise for the player's own team
  double park_edge = 0;         ///< likewise for the place of the game

  std::vector<PastGame> recent;  ///< newest first, at most 40

  double completeness = 0;  ///< share of the expected inputs that are there, 0 to 1
  double quality = 0;       ///< 0 to 100
  int expected_games = 0;   ///< that the team played in the last 30 days
  int actual_games = 0;     ///< of these, known for this player
  std::string data_hash;    ///< fingerprint of the rows that went in: same hash, same features

  friend bool operator==(const Features&, const Features&) = default;
};

/// The column `features` of ml_feature_store. Numbers are kept to six decimals (and History gives no finer ones), so
/// the round trip is exact.
[[nodiscard]] std::string to_json(const Features& features);
/// Errors: data_loss, naming the field; unsupported for another version.
Result<Features> parse_features(std::string_view json);

/// The player's own line: median value of the last 20 games; nothing without games.
[[nodiscard]] std::optional<double> own_line(const Features& features);

}  // namespace serin::fleet
