#include "serin/fleet_pipeline/load.hpp"

#include <set>

#include "json.hpp"

namespace serin::fleet {
namespace json = boost::json;
namespace {

constexpr std::string_view insert_game = R"sql(
INSERT INTO games(game_id, sport, game_date, season, home_team, away_team, status, loaded_at)
VALUES($1, $2, $3, $4, $5, $6, 'scheduled', $7)
ON CONFLICT(game_id) DO UPDATE SET game_date = excluded.game_date, season = excluded.season,
  home_team = excluded.home_team, away_team = excluded.away_team, loaded_at = excluded.loaded_at)sql";
constexpr std::string_view insert_player = R"sql(
INSERT INTO players(player_id, sport, name) VALUES($1, $2, $3)
ON CONFLICT(player_id) DO UPDATE SET name = excluded.name)sql";
constexpr std::string_view insert_player_game = R"sql(
INSERT INTO raw_player_games(player_id, game_id, game_date, season, team, opponent, home, minutes, points, rebounds,
  assists, steals, blocks, turnovers, fouls, field_goals_made, field_goals_tried, threes_made, threes_tried,
  free_throws_made, free_throws_tried, plus_minus, won, loaded_at)
VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
ON CONFLICT(game_id, player_id) DO UPDATE SET game_date = excluded.game_date, season = excluded.season,
  team = excluded.team, opponent = excluded.opponent, home = excluded.home, minutes = excluded.minutes,
  points = excluded.points, rebounds = excluded.rebounds, assists = excluded.assists, steals = excluded.steals,
  blocks = excluded.blocks, turnovers = excluded.turnovers, fouls = excluded.fouls,
  field_goals_made = excluded.field_goals_made, field_goals_tried = excluded.field_goals_tried,
  threes_made = excluded.threes_made, threes_tried = excluded.threes_tried,
  free_throws_made = excluded.free_throws_made, free_throws_tried = excluded.free_throws_tried,
  plus_minus = excluded.plus_minus, won = excluded.won, loaded_at = excluded.loaded_at)sql";
constexpr std::string_view insert_pitcher_game = R"sql(
INSERT INTO raw_pitcher_games(player_id, game_id, game_date, season, team, opponent, home, strikeouts, walks, hits,
  runs, outs, pitchers_used, loaded_at)
VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT(game_id, player_id) DO UPDATE SET game_date = excluded.game_date, season = excluded.season,
  team = excluded.team, opponent = excluded.opponent, home = excluded.home, strikeouts = excluded.strikeouts,
  walks = excluded.walks, hits = excluded.hits, runs = excluded.runs, outs = excluded.outs,
  pitchers_used = excluded.pitchers_used, loaded_at = excluded.loaded_at)sql";

SqlValue whole(std::int64_t number) { return number; }

Status insert(SqlSession& session, std::string_view sql, const SqlRow& row) {
  SERIN_TRY([[maybe_unused]] const std::int64_t changed, session.execute(sql, row));
  return {};
}

Status write_games(SqlSession& session, const League& league, std::int64_t loaded_at) {
  for (const ScheduledGame& game : league.games) {
    SERIN_CHECK(insert(session, insert_game,
                       {game.game_id, std::string(sport_name(game.sport)), format_date(game.date), game.season,
                        game.home_team, game.away_team, loaded_at}));
  }
  return {};
}

Status write_player_games(SqlSession& session, const League& league, std::int64_t loaded_at) {
  for (const PlayerGame& row : league.players) {
    SERIN_CHECK(insert(session, insert_player_game,
                       {row.player_id,
                        row.game_id,
                        format_date(row.date),
                        row.season,
                        row.team,
                        row.opponent,
                        whole(row.home),
                        row.minutes,
                        whole(row.points),
                        whole(row.rebounds),
                        whole(row.assists),
                        whole(row.steals),
                        whole(row.blocks),
                        whole(row.turnovers),
                        whole(row.fouls),
                        whole(row.field_goals_made),
                        whole(row.field_goals_tried),
                        whole(row.threes_made),
                        whole(row.threes_tried),
                        whole(row.free_throws_made),
                        whole(row.free_throws_tried),
                        whole(row.plus_minus),
                        whole(row.won),
                        loaded_at}));
  }
  return {};
}

Status write_pitcher_games(SqlSession& session, const League& league, std::int64_t loaded_at) {
  for (const PitcherGame& row : league.pitchers) {
    SERIN_CHECK(insert(session, insert_pitcher_game,
                       {row.pitcher_id, row.game_id, format_date(row.date), row.season, row.team, row.opponent,
                        whole(row.home), whole(row.strikeouts), whole(row.walks), whole(row.hits), whole(row.runs),
                        whole(row.outs), whole(row.pitchers_used), loaded_at}));
  }
  return {};
}

Result<std::int64_t> write_players(SqlSession& session, const League& league) {
  std::set<std::string_view> seen;
  for (const PlayerGame& row : league.players) {
    if (!seen.insert(row.player_id).second) continue;
    SERIN_CHECK(insert(session, insert_player, {row.player_id, std::string(sport_name(Sport::nba)), row.name}));
  }
  for (const PitcherGame& row : league.pitchers) {
    if (!seen.insert(row.pitcher_id).second) continue;
    SERIN_CHECK(insert(session, insert_player, {row.pitcher_id, std::string(sport_name(Sport::mlb)), row.name}));
  }
  return static_cast<std::int64_t>(seen.size());
}

}  // namespace

Result<LoadReport> load_season(Sql& sql, const League& league, WallTime now, Deadline deadline) {
  LoadReport report;
  report.games = static_cast<std::int64_t>(league.games.size());
  report.player_games = static_cast<std::int64_t>(league.players.size());
  report.pitcher_games = static_cast<std::int64_t>(league.pitchers.size());
  for (const ScheduledGame& game : league.games) {
    const std::string date = format_date(game.date);
    if (report.first_date.empty() || date < report.first_date) report.first_date = date;
    if (date > report.last_date) report.last_date = date;
  }
  const std::int64_t loaded_at = unix_ms(now);
  SERIN_CHECK(sql.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(write_games(session, league, loaded_at));
        SERIN_TRY(report.players, write_players(session, league));
        SERIN_CHECK(write_player_games(session, league, loaded_at));
        return write_pitcher_games(session, league, loaded_at);
      },
      deadline));
  return report;
}

Result<std::string> busy_date(Sql& sql, Deadline deadline) {
  for (const Sport sport : {Sport::nba, Sport::mlb}) {
    // Not the last date of a season: it may hold one game only. The last tenth has its busiest date well in play.
    SERIN_TRY(const SqlTable table, sql.query(R"sql(
WITH last AS (SELECT season FROM games WHERE sport = $1 ORDER BY game_date DESC LIMIT 1),
     dates AS (SELECT game_date, COUNT(*) AS games, ROW_NUMBER() OVER (ORDER BY game_date DESC) AS back,
                      COUNT(*) OVER () AS total
               FROM games WHERE sport = $1 AND season = (SELECT season FROM last) GROUP BY game_date)
SELECT game_date FROM dates WHERE back <= (total + 9) / 10 ORDER BY games DESC, game_date DESC LIMIT 1)sql",
                                              {std::string(sport_name(sport))}, deadline));
    if (!table.rows.empty()) return std::get<std::string>(table.rows[0][0]);
  }
  return fail(Errc::not_found, "no game is loaded; serin-fleet load writes a season");
}

std::string to_json(const LoadReport& report) {
  return json::serialize(json::object{{"games", report.games},
                                      {"player_games", report.player_games},
                                      {"pitcher_games", report.pitcher_games},
                                      {"players", report.players},
                                      {"first_date", report.first_date},
                                      {"last_date", report.last_date}});
}

}  // namespace serin::fleet
