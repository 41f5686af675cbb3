#pragma once
#include <string>

#include "serin/base/error.hpp"
#include "serin/fleet_data/records.hpp"

namespace serin::fleet {

struct GameFiles {
  std::string nba;               ///< NBA player games, may be .gz; empty: none
  std::vector<std::string> mlb;  ///< Retrosheet game logs, may be .gz
};

/// Reads the files that are named; the simulated league when none is. `notice`: what must be said wherever this data is
/// used. Errors: not_found, data_loss with file:line.
Result<League> read_league(const GameFiles& files, std::string& notice);

}  // namespace serin::fleet
