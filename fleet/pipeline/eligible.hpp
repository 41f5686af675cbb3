#pragma once
#include <optional>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/fleet_data/records.hpp"
#include "serin/fleet_pipeline/definitions.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

struct EligiblePlayer {
  std::string player_id;
  std::string game_id;
  std::optional<double> market_line;  ///< nothing: the models use the player's own
};
/// NBA players of a date by the definition of is_eligible, by id; each once, with his first game of the day. For MLB:
/// announced starters with enough history.
/// Errors: as Sql.
Result<std::vector<EligiblePlayer>> eligible_players(Sql& sql, Sport sport, const std::string& game_date,
                                                     Deadline deadline);

/// Games, eligible players and those of them that have a prediction. Errors: as Sql.
Result<CoverageFacts> coverage_facts(Sql& sql, Sport sport, const std::string& game_date, Deadline deadline);

/// Which table's newest row is asked about.
enum class FreshTable : std::uint8_t { games, contexts, features };
/// The newest row of the date, and how many games the date has. Errors: as Sql.
Result<FreshnessFacts> freshness_facts(Sql& sql, FreshTable table, Sport sport, const std::string& game_date,
                                       Deadline deadline);

/// Validation failures of the 24 hours before `now`. Errors: as Sql.
Result<std::int64_t> validation_failures(Sql& sql, WallTime now, Deadline deadline);

/// Whether the last run of each analytics processor that a date needs is completed, as a judgement: a date without
/// games is not evaluated, one with games and no run is a failure. Errors: as Sql.
Result<Judgement> judge_upstream(Sql& sql, const std::string& game_date, Deadline deadline);

}  // namespace serin::fleet
