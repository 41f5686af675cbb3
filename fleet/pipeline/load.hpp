#pragma once
#include <cstdint>
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/fleet_data/records.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

struct LoadReport {
  std::int64_t games = 0;
  std::int64_t player_games = 0;
  std::int64_t pitcher_games = 0;
  std::int64_t players = 0;  ///< of both sports
  std::string first_date;    ///< empty without games
  std::string last_date;
};

/// Writes a league's games and raw rows, all or nothing. Loading the same again changes nothing but `loaded_at`; what
/// analytics has found out about a game stays.
/// Errors: as Sql. Threads: any.
Result<LoadReport> load_season(Sql& sql, const League& league, WallTime now, Deadline deadline);

/// The NBA date with the most games in the last tenth of the last loaded season: enough history, much to predict.
/// MLB dates when there is no NBA game. Errors: not_found, when nothing is loaded; as Sql.
Result<std::string> busy_date(Sql& sql, Deadline deadline);

[[nodiscard]] std::string to_json(const LoadReport& report);

}  // namespace serin::fleet
