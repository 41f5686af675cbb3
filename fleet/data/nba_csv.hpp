#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/fleet_data/records.hpp"

namespace serin::fleet {

struct NbaFile {
  std::vector<PlayerGame> rows;  ///< by date, game and player; rows of 0 minutes are kept (not played)
  std::size_t duplicates = 0;    ///< rows of the same player and game that were there before; left out
  std::size_t did_not_play = 0;  ///< of `rows`
};

/// Reads player-games in the columns of the NBA's statistics service: a header line, then one row a player and game.
/// Columns are found by name, in any order; unknown ones are ignored. "DAL vs. SAS" is a home game, "DAL @ SAS" is not.
///
/// \param file  for messages only
/// Errors: data_loss, as "file:line: column NAME: what is wrong"; also for two different rows of one player and game,
/// a missing column (line 1) and a file without rows. Pure.
Result<NbaFile> parse_nba_csv(std::string_view text, std::string_view file);

}  // namespace serin::fleet
