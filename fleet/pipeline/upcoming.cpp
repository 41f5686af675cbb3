#include "upcoming.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <span>
#include <vector>

#include "cells.hpp"
#include "rows.hpp"
#include "serin/fleet_models/features.hpp"

namespace serin::fleet {
namespace {

// A player whose team has played so many games since his last one is not expected to play.
constexpr std::int64_t games_missed_to_be_out = 8;
// Nobody's roster lists a player who has not appeared for most of a year.
constexpr std::int64_t days_to_be_forgotten = 300;

struct PastRow {
  std::int64_t date = 0;
  std::string team;
  double minutes = 0;
  double value = 0;
};
using History = std::map<std::string, std::vector<PastRow>>;  // by player, oldest first

struct Game {
  std::string game_id;
  std::string season;
  std::string home_team;
  std::string away_team;
};

/// One row to be written.
struct Context {
  std::string player_id;
  std::string game_id;
  std::int64_t date = 0;
  std::string season;
  std::string team;
  std::string opponent;
  bool home = false;
  std::int64_t history = 0;
  std::optional<std::int64_t> days_rest;
  std::optional<double> line;
  std::optional<double> average_minutes;
  bool is_out = false;
};

Result<History> load_history(Sql& sql, std::string_view query, const std::string& before, Deadline deadline) {
  SERIN_TRY(const SqlTable table, sql.query(query, {before}, deadline));
  History history;
  for (const SqlRow& row : table.rows) {
    Cells cells(row);
    const std::string player = cells.text();
    PastRow past;
    SERIN_TRY(past.date, parse_date(cells.text()));
    past.team = cells.text();
    past.minutes = cells.real();
    past.value = cells.real();
    SERIN_CHECK(cells.done());
    history[player].push_back(std::move(past));
  }
  return history;
}

/// Fills in what the games before `context.date` say. The rows end before that day.
void describe(Context& context, std::span<const PastRow> before) {
  Features seen;  // only to ask for the player's own line in the one place that defines it
  double minutes = 0;
  std::int64_t counted = 0;
  for (const PastRow& past : std::views::reverse(before)) {
    if (past.minutes <= 0) continue;
    if (context.history == 0) context.days_rest = context.date - past.date;
    ++context.history;
    if (counted < 7) {
      minutes += past.minutes;
      ++counted;
    }
    if (seen.recent.size() < 20)
      seen.recent.push_back({.date = past.date, .minutes = past.minutes, .value = past.value});
  }
  if (counted > 0) context.average_minutes = minutes / static_cast<double>(counted);
  context.line = own_line(seen);
}

std::span<const PastRow> rows_before(const std::vector<PastRow>& rows, std::int64_t date) {
  const auto end = std::ranges::lower_bound(rows, date, {}, &PastRow::date);
  return {rows.data(), static_cast<std::size_t>(end - rows.begin())};
}

Status replace(Sql& sql, std::string_view sport, const std::string& start, const std::string& end,
               const std::vector<Context>& contexts, WallTime now, Deadline deadline) {
  return sql.transaction(
      [&](SqlSession& session) -> Status {
        const SqlRow range = {start, end, sql_text(sport)};
        SERIN_TRY([[maybe_unused]] const std::int64_t erased, session.execute(R"sql(
DELETE FROM upcoming_player_game_context WHERE game_date BETWEEN $1 AND $2 AND sport = $3)sql",
                                                                              range));
        RowWriter writer(session, {.insert = R"sql(
INSERT INTO upcoming_player_game_context(player_id, game_id, game_date, sport, season, team, opponent, home, days_rest,
  line, line_source, avg_minutes_last_7, history_games, status, updated_at) VALUES)sql",
                                   .conflict = {},
                                   .key = {}});
        for (const Context& context : contexts) {
          const auto number = [](const auto& maybe) -> SqlValue {
            return maybe ? SqlValue(*maybe) : SqlValue(std::monostate());
          };
          SERIN_CHECK(
              writer.add({context.player_id, context.game_id, format_date(context.date), sql_text(sport),
                          context.season, context.team, context.opponent, static_cast<std::int64_t>(context.home),
                          number(context.days_rest), number(context.line),
                          context.line ? sql_text("own") : SqlValue(std::monostate()), number(context.average_minutes),
                          context.history, sql_text(context.is_out ? "out" : "active"), unix_ms(now)}));
        }
        return writer.finish();
      },
      deadline);
}

}  // namespace

Result<std::int64_t> write_player_contexts(Sql& sql, const std::string& start, const std::string& end, WallTime now,
                                           Deadline deadline) {
  SERIN_TRY(const History history, load_history(sql, R"sql(
SELECT player_id, game_date, team, minutes, points FROM player_game_summary WHERE game_date < $1
ORDER BY player_id, game_date, game_id)sql",
                                                end, deadline));
  SERIN_TRY(const SqlTable table, sql.query(R"sql(
SELECT game_date, game_id, season, home_team, away_team FROM games
WHERE sport = 'nba' AND game_date <= $1 ORDER BY game_date, game_id)sql",
                                            {end}, deadline));
  SERIN_TRY(const std::int64_t first, parse_date(start));
  std::map<std::string, std::vector<std::int64_t>> played;          // by team: days of its games, oldest first
  std::map<std::int64_t, std::map<std::string, Game>> to_describe;  // by day, by team
  for (const SqlRow& row : table.rows) {
    Cells cells(row);
    SERIN_TRY(const std::int64_t date, parse_date(cells.text()));
    Game game{.game_id = cells.text(), .season = cells.text()};
    game.home_team = cells.text();
    game.away_team = cells.text();
    SERIN_CHECK(cells.done());
    for (const std::string& team : {game.home_team, game.away_team}) {
      played[team].push_back(date);
      if (date >= first) to_describe[date].emplace(team, game);
    }
  }
  std::vector<Context> contexts;
  for (const auto& [date, games] : to_describe) {
    for (const auto& [player, rows] : history) {
      const std::span<const PastRow> before = rows_before(rows, date);
      if (before.empty() || date - before.back().date > days_to_be_forgotten) continue;
      const std::string& team = before.back().team;
      const auto game = games.find(team);
      if (game == games.end()) continue;
      Context context{.player_id = player,
                      .game_id = game->second.game_id,
                      .date = date,
                      .season = game->second.season,
                      .team = team};
      context.home = game->second.home_team == team;
      context.opponent = context.home ? game->second.away_team : game->second.home_team;
      describe(context, before);
      const std::vector<std::int64_t>& days = played[team];
      const std::int64_t last = context.days_rest ? date - *context.days_rest : before.front().date;
      const auto missed = std::ranges::lower_bound(days, date) - std::ranges::upper_bound(days, last);
      context.is_out = missed >= games_missed_to_be_out;
      contexts.push_back(std::move(context));
    }
  }
  SERIN_CHECK(replace(sql, "nba", start, end, contexts, now, deadline));
  return static_cast<std::int64_t>(contexts.size());
}

Result<std::int64_t> write_pitcher_contexts(Sql& sql, const std::string& start, const std::string& end, WallTime now,
                                            Deadline deadline) {
  SERIN_TRY(const History history, load_history(sql, R"sql(
SELECT player_id, game_date, team, outs / 3.0, strikeouts FROM pitcher_game_summary WHERE game_date < $1
ORDER BY player_id, game_date, game_id)sql",
                                                end, deadline));
  // Starters are announced before the game, so naming them looks at nothing that was played.
  SERIN_TRY(const SqlTable table, sql.query(R"sql(
SELECT player_id, game_date, game_id, season, team, opponent, home FROM raw_pitcher_games
WHERE game_date BETWEEN $1 AND $2 ORDER BY game_date, game_id, player_id)sql",
                                            {start, end}, deadline));
  std::vector<Context> contexts;
  for (const SqlRow& row : table.rows) {
    Cells cells(row);
    Context context{.player_id = cells.text()};
    SERIN_TRY(context.date, parse_date(cells.text()));
    context.game_id = cells.text();
    context.season = cells.text();
    context.team = cells.text();
    context.opponent = cells.text();
    context.home = cells.whole() != 0;
    SERIN_CHECK(cells.done());
    if (const auto found = history.find(context.player_id); found != history.end()) {
      describe(context, rows_before(found->second, context.date));
    }
    contexts.push_back(std::move(context));
  }
  SERIN_CHECK(replace(sql, "mlb", start, end, contexts, now, deadline));
  return static_cast<std::int64_t>(contexts.size());
}

}  // namespace serin::fleet
