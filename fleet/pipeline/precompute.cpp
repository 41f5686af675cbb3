#include "serin/fleet_pipeline/precompute.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cells.hpp"
#include "rows.hpp"
#include "serin/fleet_models/features.hpp"
#include "serin/fleet_models/history.hpp"
#include "serin/fleet_pipeline/events.hpp"

namespace serin::fleet {
namespace {

constexpr std::string_view nba_history = R"sql(
SELECT player_id, game_id, game_date, season, team, opponent, home, minutes, points FROM player_game_summary
WHERE game_date < $1 AND minutes > 0)sql";
constexpr std::string_view mlb_history = R"sql(
SELECT player_id, game_id, game_date, season, team, opponent, home, outs / 3.0, strikeouts FROM pitcher_game_summary
WHERE game_date < $1 AND outs > 0)sql";
constexpr std::string_view contexts_of = R"sql(
SELECT player_id, game_id, game_date, season, team, opponent, home FROM upcoming_player_game_context
WHERE game_date = $1 AND sport = $2 AND history_games > 0 ORDER BY player_id, game_id)sql";
const RowWriter::Into feature_rows{R"sql(
INSERT INTO ml_feature_store(player_id, game_id, game_date, sport, feature_version, features, completeness, quality,
  expected_games, actual_games, data_hash, updated_at) VALUES)sql",
                                   {},
                                   {}};

Result<History> load_history(Sql& sql, Sport sport, const std::string& date, Deadline deadline) {
  SERIN_TRY(const SqlTable table, sql.query(sport == Sport::nba ? nba_history : mlb_history, {date}, deadline));
  std::vector<Appearance> games;
  games.reserve(table.rows.size());
  for (const SqlRow& row : table.rows) {
    Cells cells(row);
    Appearance game{.player_id = cells.text(), .game_id = cells.text()};
    SERIN_TRY(game.date, parse_date(cells.text()));
    game.season = cells.text();
    game.team = cells.text();
    game.opponent = cells.text();
    game.home = cells.whole() != 0;
    game.minutes = cells.real();
    game.value = cells.real();
    SERIN_CHECK(cells.done());
    games.push_back(std::move(game));
  }
  return History(sport, std::move(games));
}

Result<std::vector<Features>> make_features(Sql& sql, Sport sport, const std::string& date, Deadline deadline) {
  SERIN_TRY(const SqlTable contexts, sql.query(contexts_of, {date, sql_text(sport_name(sport))}, deadline));
  SERIN_TRY(const History history, load_history(sql, sport, date, deadline));
  std::vector<Features> made;
  for (const SqlRow& row : contexts.rows) {
    Cells cells(row);
    Upcoming game{.player_id = cells.text(), .game_id = cells.text()};
    SERIN_TRY(game.date, parse_date(cells.text()));
    game.season = cells.text();
    game.team = cells.text();
    game.opponent = cells.text();
    game.home = cells.whole() != 0;
    SERIN_CHECK(cells.done());
    SERIN_TRY(Features features, history.features(game));
    made.push_back(std::move(features));
  }
  return made;
}

Result<std::int64_t> write_features(Sql& sql, Sport sport, const std::string& date, WallTime now, Deadline deadline) {
  SERIN_TRY(const SqlTable contexts,
            sql.query("SELECT COUNT(*) FROM upcoming_player_game_context WHERE game_date = $1 AND sport = $2",
                      {date, sql_text(sport_name(sport))}, deadline));
  if (contexts.rows.at(0).at(0) == SqlValue(std::int64_t{0})) {
    return fail(Errc::not_found,
                fmt::format("{} has {} games, but analytics has written no context for it", date, sport_name(sport)));
  }
  SERIN_TRY(const std::vector<Features> made, make_features(sql, sport, date, deadline));
  SERIN_CHECK(sql.transaction(
      [&](SqlSession& session) -> Status {
        const SqlRow which = {date, sql_text(sport_name(sport))};
        SERIN_TRY([[maybe_unused]] const std::int64_t erased,
                  session.execute("DELETE FROM ml_feature_store WHERE game_date = $1 AND sport = $2", which));
        RowWriter writer(session, feature_rows);
        for (const Features& features : made) {
          SERIN_CHECK(writer.add({features.player_id, features.game_id, date, sql_text(sport_name(sport)),
                                  std::int64_t{features.version}, to_json(features), features.completeness,
                                  features.quality, std::int64_t{features.expected_games},
                                  std::int64_t{features.actual_games}, features.data_hash, unix_ms(now)}));
        }
        return writer.finish();
      },
      deadline));
  return static_cast<std::int64_t>(made.size());
}

}  // namespace

Result<ProcessReport> Precompute::process(const DateRequest& request, Deadline deadline) {
  SERIN_TRY(const SqlTable schedule,
            deps_.sql.query("SELECT sport, COUNT(*) FROM games WHERE game_date = $1 GROUP BY sport ORDER BY sport DESC",
                            {request.game_date}, deadline));
  const WallTime now = deps_.clock.wall();
  std::vector<Processor> chosen;
  for (const SqlRow& row : schedule.rows) {
    const Sport sport = Cells(row).text() == sport_name(Sport::nba) ? Sport::nba : Sport::mlb;
    chosen.push_back({processors.at(sport == Sport::nba ? 0 : 1), [this, &request, sport, now, deadline] {
                        return write_features(deps_.sql, sport, request.game_date, now, deadline);
                      }});
  }
  ProcessReport report = run_processors(deps_.sql, deps_.clock, new_run_id("precompute", deps_.random),
                                        request.game_date, deps_.revision, chosen, deadline);
  if (chosen.empty()) report.note = "no games on the schedule of " + request.game_date;
  std::vector<Validation> validations;
  for (const ProcessorResult& result : report.processors) {
    validations.push_back({.check_id = result.processor + "_rows",
                           .value = static_cast<double>(result.rows),
                           .at_least = 1,
                           .rows = result.rows});
  }
  if (const Status recorded = record_validations(deps_.sql, deps_.clock, report.run_id, validations, deadline);
      !recorded) {
    deps_.logger.warn("validation_not_recorded", {{"run_id", report.run_id}, {"error", recorded.error().text()}});
  }
  const bool some = std::ranges::any_of(report.processors, [](const auto& result) { return result.error.empty(); });
  if (some) {
    const PhaseComplete event{.game_date = request.game_date,
                              .run_id = report.run_id,
                              .partial = report.status() == RunStatus::partial_failure};
    const auto published = deps_.bus.publish(topic::phase4_complete, {to_message(event)}, deadline);
    report.published = published.has_value();
    if (!published) report.publish_error = published.error().text();
  }
  deps_.logger.info(
      "precompute",
      {{"run_id", report.run_id}, {"game_date", request.game_date}, {"status", run_status_name(report.status())}});
  return report;
}

}  // namespace serin::fleet
