#include "serin/fleet_pipeline/load.hpp"

#include <set>

#include "json.hpp"
#include "rows.hpp"

namespace serin::fleet {
namespace json = boost::json;
namespace {

const RowWriter::Into games{R"sql(
INSERT INTO games(game_id, sport, game_date, season, home_team, away_team, status, loaded_at) VALUES)sql",
                            R"sql(
ON CONFLICT(game_id) DO UPDATE SET game_date = excluded.game_date, season = excluded.season,
  home_team = excluded.home_team, away_team = excluded.away_team, loaded_at = excluded.loaded_at)sql",
                            {0}};
const RowWriter::Into players{R"sql(
INSERT INTO players(player_id, sport, name) VALUES)sql",
                              R"sql(
ON CONFLICT(player_id) DO UPDATE SET name = excluded.name)sql",
                              {0}};
const RowWriter::Into player_games{R"sql(
INSERT INTO raw_player_games(player_id, game_id, game_date, season, team, opponent, home, minutes, points, rebounds,
  assists, steals, blocks, turnovers, fouls, field_goals_made, field_goals_tried, threes_made, threes_tried,
  free_throws_made, free_throws_tried, plus_minus, won, loaded_at) VALUES)sql",
                                   R"sql(
ON CONFLICT(game_id, player_id) DO UPDATE SET game_date = excluded.game_date, season = excluded.season,
  team = excluded.team, opponent = excluded.opponent, home = excluded.home, minutes = excluded.minutes,
  points = excluded.points, rebounds = excluded.rebounds, assists = excluded.assists, steals = excluded.steals,
  blocks = excluded.blocks, turnovers = excluded.turnovers, fouls = excluded.fouls,
  field_goals_made = excluded.field_goals_made, field_goals_tried = excluded.field_goals_tried,
  threes_made = excluded.threes_made, threes_tried = excluded.threes_tried,
  free_throws_made = excluded.free_throws_made, free_throws_tried = excluded.free_throws_tried,
  plus_minus = excluded.plus_minus, won = excluded.won, loaded_at = excluded.loaded_at)sql",
                                   {1, 0}};
const RowWriter::Into pitcher_games{R"sql(
INSERT INTO raw_pitcher_games(player_id, game_id, game_date, season, team, opponent, home, strikeouts, walks, hits,
  runs, outs, pitchers_used, loaded_at) VALUES)sql",
                                    R"sql(
ON CONFLICT(game_id, player_id) DO UPDATE SET game_date = excluded.game_date, season = excluded.season,
  team = excluded.team, opponent = excluded.opponent, home = excluded.home, strikeouts = excluded.strikeouts,
  walks = excluded.walks, hits = excluded.hits, runs = excluded.runs, outs = excluded.outs,
  pitchers_used = excluded.pitchers_used, loaded_at = excluded.loaded_at)sql",
                                    {1, 0}};

SqlValue whole(std::int64_t number) { return number; }

Status write_games(SqlSession& session, const League& league, std::int64_t loaded_at) {
  RowWriter writer(session, games);
  for (const ScheduledGame& game : league.games) {
    SERIN_CHECK(writer.add({game.game_id, std::string(sport_name(game.sport)), format_date(game.date), game.season,
                            game.home_team, game.away_team, std::string("scheduled"), loaded_at}));
  }
  return writer.finish();
}

Status write_player_games(SqlSession& session, const League& league, std::int64_t loaded_at) {
  RowWriter writer(session, player_games);
  for (const PlayerGame& row : league.players) {
    SERIN_CHECK(writer.add({row.player_id,
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
  return writer.finish();
}

Status write_pitcher_games(SqlSession& session, const League& league, std::int64_t loaded_at) {
  RowWriter writer(session, pitcher_games);
  for (const PitcherGame& row : league.pitchers) {
    SERIN_CHECK(writer.add({row.pitcher_id, row.game_id, format_date(row.date), row.season, row.team, row.opponent,
                            whole(row.home), whole(row.strikeouts), whole(row.walks), whole(row.hits), whole(row.runs),
                            whole(row.outs), whole(row.pitchers_used), loaded_at}));
  }
  return writer.finish();
}

Result<std::int64_t> write_players(SqlSession& session, const League& league) {
  RowWriter writer(session, players);
  std::set<std::string_view> seen;
  for (const PlayerGame& row : league.players) {
    if (!seen.insert(row.player_id).second) continue;
    SERIN_CHECK(writer.add({row.player_id, std::string(sport_name(Sport::nba)), row.name}));
  }
  for (const PitcherGame& row : league.pitchers) {
    if (!seen.insert(row.pitcher_id).second) continue;
    SERIN_CHECK(writer.add({row.pitcher_id, std::string(sport_name(Sport::mlb)), row.name}));
  }
  SERIN_CHECK(writer.finish());
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
