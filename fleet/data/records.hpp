#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace serin::fleet {

enum class Sport : std::uint8_t { nba, mlb };
/// "nba", "mlb".
[[nodiscard]] std::string_view sport_name(Sport sport) noexcept;

/// One player in one NBA game. Plain data.
struct PlayerGame {
  std::string player_id;
  std::string name;
  std::string game_id;
  std::int64_t date = 0;  ///< days since 1970-01-01
  std::string season;     ///< "2023-24"
  std::string team;
  std::string opponent;
  bool home = false;
  double minutes = 0;  ///< 0: was listed and did not play
  int points = 0;
  int rebounds = 0;
  int assists = 0;
  int steals = 0;
  int blocks = 0;
  int turnovers = 0;
  int fouls = 0;
  int field_goals_made = 0;
  int field_goals_tried = 0;
  int threes_made = 0;
  int threes_tried = 0;
  int free_throws_made = 0;
  int free_throws_tried = 0;
  int plus_minus = 0;
  bool won = false;

  [[nodiscard]] bool played() const noexcept { return minutes > 0; }
  friend bool operator==(const PlayerGame&, const PlayerGame&) = default;
};

/// One side's pitching in one MLB game, credited to its named starter.
struct PitcherGame {
  std::string pitcher_id;
  std::string name;
  std::string game_id;    ///< Retrosheet's: home team, yyyymmdd, number of the game on that day ("COL201803290")
  std::int64_t date = 0;  ///< days since 1970-01-01
  std::string season;     ///< "2018"
  std::string team;
  std::string opponent;  ///< whose batters struck out
  bool home = false;
  int strikeouts = 0;     ///< by all pitchers of `team` in this game
  int walks = 0;          ///< likewise
  int hits = 0;           ///< likewise
  int runs = 0;           ///< scored by the opponent
  int outs = 0;           ///< that `team` made in the field: 27 in nine innings
  int pitchers_used = 0;  ///< 1: a complete game

  friend bool operator==(const PitcherGame&, const PitcherGame&) = default;
};

/// One game of the schedule.
struct ScheduledGame {
  Sport sport = Sport::nba;
  std::string game_id;
  std::int64_t date = 0;  ///< days since 1970-01-01
  std::string season;
  std::string home_team;
  std::string away_team;

  friend bool operator==(const ScheduledGame&, const ScheduledGame&) = default;
};

/// Everything the fleet is fed with: each list in the order of date, game and player.
struct League {
  std::vector<PlayerGame> players;
  std::vector<PitcherGame> pitchers;
  std::vector<ScheduledGame> games;
};

/// The games that the rows belong to, each once, by date and id. Pure.
[[nodiscard]] std::vector<ScheduledGame> schedule_of(const std::vector<PlayerGame>& rows);
[[nodiscard]] std::vector<ScheduledGame> schedule_of(const std::vector<PitcherGame>& rows);

}  // namespace serin::fleet
