#pragma once
#include <cstdint>
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/sql.hpp"

// Private to the module: who may play on a day, as known the day before.
namespace serin::fleet {

/// Replaces the contexts of NBA players for every day with games in [start, end]. Returns the rows written.
Result<std::int64_t> write_player_contexts(Sql& sql, const std::string& start, const std::string& end, WallTime now,
                                           Deadline deadline);
/// The same for the announced starting pitchers.
Result<std::int64_t> write_pitcher_contexts(Sql& sql, const std::string& start, const std::string& end, WallTime now,
                                            Deadline deadline);

}  // namespace serin::fleet
