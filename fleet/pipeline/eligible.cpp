#include "serin/fleet_pipeline/eligible.hpp"

#include <fmt/format.h>

#include "cells.hpp"

namespace serin::fleet {
namespace {

std::string_view newest_query(FreshTable table) noexcept {
  switch (table) {
    case FreshTable::games: return "SELECT MAX(loaded_at) FROM games WHERE sport = $1 AND game_date = $2";
    case FreshTable::contexts:
      return "SELECT MAX(updated_at) FROM upcoming_player_game_context WHERE sport = $1 AND game_date = $2";
    case FreshTable::features:
      return "SELECT MAX(updated_at) FROM ml_feature_store WHERE sport = $1 AND game_date = $2";
  }
  return "SELECT NULL WHERE $1 <> $2";
}

Result<std::int64_t> count_games(Sql& sql, Sport sport, const std::string& game_date, Deadline deadline) {
  SERIN_TRY(const SqlTable table, sql.query("SELECT COUNT(*) FROM games WHERE sport = $1 AND game_date = $2",
                                            {sql_text(sport_name(sport)), game_date}, deadline));
  Cells cells(table.rows.at(0));
  const std::int64_t games = cells.whole();
  SERIN_CHECK(cells.done());
  return games;
}

}  // namespace

Result<std::vector<EligiblePlayer>> eligible_players(Sql& sql, Sport sport, const std::string& game_date,
                                                     Deadline deadline) {
  SERIN_TRY(const SqlTable table, sql.query(R"sql(
SELECT player_id, game_id, avg_minutes_last_7, history_games, status, line, line_source
FROM upcoming_player_game_context WHERE game_date = $1 AND sport = $2 ORDER BY player_id, game_id)sql",
                                            {game_date, sql_text(sport_name(sport))}, deadline));
  std::vector<EligiblePlayer> players;
  for (const SqlRow& row : table.rows) {
    Cells cells(row);
    EligiblePlayer player{.player_id = cells.text(), .game_id = cells.text()};
    EligibilityFacts facts{.average_minutes = cells.maybe_real()};
    facts.history = cells.whole();
    facts.is_out = cells.text() == "out";
    const std::optional<double> line = cells.maybe_real();
    const bool market = cells.text_or_empty() == "market";
    SERIN_CHECK(cells.done());
    if (market) player.market_line = line;
    // A pitcher has no minutes: being announced as the starter is what makes him play.
    facts.has_line = player.market_line.has_value() || sport == Sport::mlb;
    if (!is_eligible(facts)) continue;
    if (!players.empty() && players.back().player_id == player.player_id) continue;
    players.push_back(std::move(player));
  }
  return players;
}

Result<CoverageFacts> coverage_facts(Sql& sql, Sport sport, const std::string& game_date, Deadline deadline) {
  CoverageFacts facts;
  SERIN_TRY(facts.games, count_games(sql, sport, game_date, deadline));
  SERIN_TRY(const std::vector<EligiblePlayer> players, eligible_players(sql, sport, game_date, deadline));
  SERIN_TRY(const SqlTable table, sql.query(R"sql(
SELECT DISTINCT player_id FROM predictions WHERE game_date = $1 AND sport = $2 ORDER BY player_id)sql",
                                            {game_date, sql_text(sport_name(sport))}, deadline));
  facts.eligible = static_cast<std::int64_t>(players.size());
  // Both lists are sorted by player: one walk.
  auto row = table.rows.begin();
  for (const EligiblePlayer& player : players) {
    const SqlValue id = player.player_id;
    while (row != table.rows.end() && row->at(0) < id) ++row;
    if (row != table.rows.end() && row->at(0) == id) ++facts.predicted;
  }
  return facts;
}

Result<FreshnessFacts> freshness_facts(Sql& sql, FreshTable table, Sport sport, const std::string& game_date,
                                       Deadline deadline) {
  FreshnessFacts facts;
  SERIN_TRY(facts.games, count_games(sql, sport, game_date, deadline));
  SERIN_TRY(const SqlTable newest, sql.query(newest_query(table), {sql_text(sport_name(sport)), game_date}, deadline));
  if (newest.rows.empty()) return facts;
  Cells cells(newest.rows[0]);
  const std::optional<std::int64_t> at = cells.maybe_whole();
  SERIN_CHECK(cells.done());
  if (at) facts.newest = wall_of_unix_ms(*at);
  return facts;
}

Result<std::int64_t> validation_failures(Sql& sql, WallTime now, Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql.query("SELECT COUNT(*) FROM validation_results WHERE outcome = 'fail' AND at > $1 AND at <= $2",
                      {unix_ms(now - 24h), unix_ms(now)}, deadline));
  Cells cells(table.rows.at(0));
  const std::int64_t failures = cells.whole();
  SERIN_CHECK(cells.done());
  return failures;
}

Result<Judgement> judge_upstream(Sql& sql, const std::string& game_date, Deadline deadline) {
  bool evaluated = false;
  for (const auto& [sport, processor] :
       {std::pair{Sport::nba, "upcoming_player_game_context"}, std::pair{Sport::mlb, "upcoming_pitcher_context"}}) {
    SERIN_TRY(const std::int64_t games, count_games(sql, sport, game_date, deadline));
    if (games == 0) continue;
    evaluated = true;
    SERIN_TRY(const SqlTable last, sql.query(R"sql(
SELECT status, error FROM processor_runs WHERE processor = $1 AND game_date = $2 ORDER BY finished_at DESC LIMIT 1)sql",
                                             {sql_text(processor), game_date}, deadline));
    if (last.rows.empty())
      return Judgement{Verdict::fail, fmt::format("{} games on {}, but {} has not run", games, game_date, processor)};
    Cells cells(last.rows[0]);
    if (cells.text() != "completed")
      return Judgement{Verdict::fail,
                       fmt::format("the last run of {} for {} failed: {}", processor, game_date, cells.text())};
  }
  if (!evaluated) return Judgement{Verdict::not_evaluated, "no games on the schedule"};
  return Judgement{Verdict::pass, "the runs that this date needs are completed"};
}

}  // namespace serin::fleet
