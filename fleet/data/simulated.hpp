#pragma once
#include <cstdint>

#include "serin/base/error.hpp"
#include "serin/fleet_data/records.hpp"

namespace serin::fleet {

/// A league out of a seed, for everybody who has no files. The defaults: one season of each sport.
struct SimulationOptions {
  std::uint64_t seed = 1;
  int nba_teams = 12;          ///< even, 0 (no NBA) or 2 to 30
  int nba_games_a_team = 82;   ///< 1 to 150; a team plays at most once a day
  int nba_seasons = 1;         ///< 1 to 10
  int mlb_teams = 30;          ///< even, 0 (no MLB) or 2 to 30
  int mlb_games_a_team = 162;  ///< 1 to 240; a team plays at most once a day
  int mlb_seasons = 1;         ///< 1 to 10
  int nba_first_year = 2024;   ///< the first season starts in October of this year; 1970 to 2100
  int mlb_first_year = 2025;   ///< the first season starts in April of this year; 1970 to 2100
};

/// The same options give the same league on every machine. Skill, team defence, home, rest, drifting form, injuries and
/// minutes all act on what players do; every id starts with "sim-", so that nobody takes it for a real one.
/// Errors: invalid_argument, naming the option. Pure; about a second for the defaults.
Result<League> simulate_league(const SimulationOptions& options);

}  // namespace serin::fleet
