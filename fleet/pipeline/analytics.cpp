#include "serin/fleet_pipeline/analytics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cells.hpp"
#include "serin/fleet_pipeline/events.hpp"
#include "upcoming.hpp"

namespace serin::fleet {
namespace {

constexpr std::string_view copy_player_games = R"sql(
INSERT INTO player_game_summary(player_id, game_id, game_date, season, team, opponent, home, minutes, points, rebounds,
  assists, steals, blocks, turnovers, plus_minus, loaded_at)
SELECT player_id, game_id, game_date, season, team, opponent, home, minutes, points, rebounds, assists, steals, blocks,
  turnovers, plus_minus, $3 FROM raw_player_games WHERE game_date BETWEEN $1 AND $2
ON CONFLICT(player_id, game_id) DO UPDATE SET game_date = excluded.game_date, season = excluded.season,
  team = excluded.team, opponent = excluded.opponent, home = excluded.home, minutes = excluded.minutes,
  points = excluded.points, rebounds = excluded.rebounds, assists = excluded.assists, steals = excluded.steals,
  blocks = excluded.blocks, turnovers = excluded.turnovers, plus_minus = excluded.plus_minus,
  loaded_at = excluded.loaded_at)sql";
constexpr std::string_view copy_pitcher_games = R"sql(
INSERT INTO pitcher_game_summary(player_id, game_id, game_date, season, team, opponent, home, strikeouts, walks, hits,
  runs, outs, loaded_at)
SELECT player_id, game_id, game_date, season, team, opponent, home, strikeouts, walks, hits, runs, outs, $3
FROM raw_pitcher_games WHERE game_date BETWEEN $1 AND $2
ON CONFLICT(player_id, game_id) DO UPDATE SET game_date = excluded.game_date, season = excluded.season,
  team = excluded.team, opponent = excluded.opponent, home = excluded.home, strikeouts = excluded.strikeouts,
  walks = excluded.walks, hits = excluded.hits, runs = excluded.runs, outs = excluded.outs,
  loaded_at = excluded.loaded_at)sql";
// A game is final once its rows are in the summary: from then on it can be graded.
constexpr std::string_view close_player_games = R"sql(
UPDATE games SET status = 'final' WHERE sport = 'nba' AND status <> 'final' AND game_date BETWEEN $1 AND $2
  AND EXISTS (SELECT 1 FROM raw_player_games r WHERE r.game_id = games.game_id))sql";
constexpr std::string_view close_pitcher_games = R"sql(
UPDATE games SET status = 'final' WHERE sport = 'mlb' AND status <> 'final' AND game_date BETWEEN $1 AND $2
  AND EXISTS (SELECT 1 FROM raw_pitcher_games r WHERE r.game_id = games.game_id))sql";

Result<std::int64_t> summarise(Sql& sql, std::string_view copy, std::string_view close, const DateRangeRequest& range,
                               WallTime now, Deadline deadline) {
  std::int64_t rows = 0;
  SERIN_CHECK(sql.transaction(
      [&](SqlSession& session) -> Status {
        const SqlRow copied = {range.start_date, range.end_date, unix_ms(now)};
        SERIN_TRY(rows, session.execute(copy, copied));
        const SqlRow dates = {range.start_date, range.end_date};
        SERIN_TRY([[maybe_unused]] const std::int64_t closed, session.execute(close, dates));
        return {};
      },
      deadline));
  return rows;
}

bool is_upcoming(std::string_view processor) { return processor.starts_with("upcoming_"); }

}  // namespace

Result<ProcessReport> Analytics::process(const DateRangeRequest& request, Deadline deadline) {
  Sql& sql = deps_.sql;
  const WallTime now = deps_.clock.wall();
  std::vector<Processor> chosen;
  const std::vector<std::string> all(processors.begin(), processors.end());
  for (const std::string& name : request.processors.empty() ? all : request.processors) {
    if (name == processors[0]) {
      chosen.push_back({processors[0], [&sql, &request, now, deadline] {
                          return summarise(sql, copy_player_games, close_player_games, request, now, deadline);
                        }});
    } else if (name == processors[1]) {
      chosen.push_back({processors[1], [&sql, &request, now, deadline] {
                          return summarise(sql, copy_pitcher_games, close_pitcher_games, request, now, deadline);
                        }});
    } else if (name == processors[2]) {
      chosen.push_back({processors[2], [&sql, &request, now, deadline] {
                          return write_player_contexts(sql, request.start_date, request.end_date, now, deadline);
                        }});
    } else if (name == processors[3]) {
      chosen.push_back({processors[3], [&sql, &request, now, deadline] {
                          return write_pitcher_contexts(sql, request.start_date, request.end_date, now, deadline);
                        }});
    } else {
      return fail(Errc::invalid_argument,
                  fmt::format("no processor is named '{}'; there are {}", name, fmt::join(processors, ", ")));
    }
  }
  ProcessReport report = run_processors(sql, deps_.clock, new_run_id("analytics", deps_.random), request.end_date,
                                        deps_.revision, chosen, deadline);
  publish(report, request, deadline);
  deps_.logger.info("analytics", {{"run_id", report.run_id},
                                  {"start_date", request.start_date},
                                  {"end_date", request.end_date},
                                  {"status", run_status_name(report.status())}});
  return report;
}

void Analytics::publish(ProcessReport& report, const DateRangeRequest& request, Deadline deadline) {
  const bool has_contexts = std::ranges::any_of(report.processors, [](const ProcessorResult& result) {
    return is_upcoming(result.processor) && result.error.empty();
  });
  if (!has_contexts) return;
  const auto games = deps_.sql.query("SELECT COUNT(*) FROM games WHERE game_date = $1", {request.end_date}, deadline);
  if (!games) {
    report.publish_error = games.error().in("look at the schedule").text();
    return;
  }
  if (games->rows.at(0).at(0) == SqlValue(std::int64_t{0})) {
    report.note = "no games on the schedule of " + request.end_date;
    return;
  }
  const bool partial = report.status() == RunStatus::partial_failure;
  const auto published = deps_.bus.publish(
      topic::phase3_complete,
      {to_message(PhaseComplete{.game_date = request.end_date, .run_id = report.run_id, .partial = partial})},
      deadline);
  if (published) {
    report.published = true;
  } else {
    report.publish_error = published.error().text();
  }
}

}  // namespace serin::fleet
