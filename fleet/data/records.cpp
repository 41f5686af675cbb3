#include "serin/fleet_data/records.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace serin::fleet {
namespace {

template <class Row>
std::vector<ScheduledGame> games_of(Sport sport, const std::vector<Row>& rows) {
  std::unordered_map<std::string, ScheduledGame> games;
  for (const auto& row : rows) {
    auto [at, is_new] = games.try_emplace(row.game_id);
    if (!is_new) continue;
    at->second = {.sport = sport,
                  .game_id = row.game_id,
                  .date = row.date,
                  .season = row.season,
                  .home_team = row.home ? row.team : row.opponent,
                  .away_team = row.home ? row.opponent : row.team};
  }
  std::vector<ScheduledGame> schedule;
  schedule.reserve(games.size());
  for (auto& [id, game] : games) schedule.push_back(std::move(game));
  std::ranges::sort(schedule, {}, [](const ScheduledGame& game) { return std::tie(game.date, game.game_id); });
  return schedule;
}

}  // namespace

std::string_view sport_name(Sport sport) noexcept { return sport == Sport::nba ? "nba" : "mlb"; }

std::vector<ScheduledGame> schedule_of(const std::vector<PlayerGame>& rows) { return games_of(Sport::nba, rows); }
std::vector<ScheduledGame> schedule_of(const std::vector<PitcherGame>& rows) { return games_of(Sport::mlb, rows); }

}  // namespace serin::fleet
