#include "serin/fleet_pipeline/grading.hpp"

#include "cells.hpp"
#include "json.hpp"

namespace serin::fleet {
namespace json = boost::json;
namespace {

// One statement a sport. A side is right when it happened; a result on the line is neither.
constexpr std::string_view grade_nba = R"sql(
INSERT INTO prediction_accuracy(system_id, player_id, game_id, game_date, sport, predicted, line, recommendation,
  actual, absolute_error, side, graded_at)
SELECT p.system_id, p.player_id, p.game_id, p.game_date, p.sport, p.predicted, p.line, p.recommendation, s.points,
  ABS(p.predicted - s.points),
  CASE WHEN s.points IS NULL THEN 'void' WHEN p.recommendation = 'PASS' THEN 'pass' WHEN s.points = p.line THEN 'push'
       WHEN (p.recommendation = 'OVER') = (s.points > p.line) THEN 'right' ELSE 'wrong' END, $2
FROM predictions p JOIN games g ON g.game_id = p.game_id AND g.status = 'final'
LEFT JOIN player_game_summary s ON s.player_id = p.player_id AND s.game_id = p.game_id AND s.minutes > 0
WHERE p.game_date = $1 AND p.sport = 'nba'
ON CONFLICT(system_id, player_id, game_id) DO UPDATE SET game_date = excluded.game_date,
  predicted = excluded.predicted, line = excluded.line, recommendation = excluded.recommendation,
  actual = excluded.actual, absolute_error = excluded.absolute_error, side = excluded.side,
  graded_at = excluded.graded_at)sql";
constexpr std::string_view grade_mlb = R"sql(
INSERT INTO prediction_accuracy(system_id, player_id, game_id, game_date, sport, predicted, line, recommendation,
  actual, absolute_error, side, graded_at)
SELECT p.system_id, p.player_id, p.game_id, p.game_date, p.sport, p.predicted, p.line, p.recommendation, s.strikeouts,
  ABS(p.predicted - s.strikeouts),
  CASE WHEN s.strikeouts IS NULL THEN 'void' WHEN p.recommendation = 'PASS' THEN 'pass'
       WHEN s.strikeouts = p.line THEN 'push'
       WHEN (p.recommendation = 'OVER') = (s.strikeouts > p.line) THEN 'right' ELSE 'wrong' END, $2
FROM predictions p JOIN games g ON g.game_id = p.game_id AND g.status = 'final'
LEFT JOIN pitcher_game_summary s ON s.player_id = p.player_id AND s.game_id = p.game_id
WHERE p.game_date = $1 AND p.sport = 'mlb'
ON CONFLICT(system_id, player_id, game_id) DO UPDATE SET game_date = excluded.game_date,
  predicted = excluded.predicted, line = excluded.line, recommendation = excluded.recommendation,
  actual = excluded.actual, absolute_error = excluded.absolute_error, side = excluded.side,
  graded_at = excluded.graded_at)sql";

}  // namespace

std::string to_json(const GradeReport& report) {
  json::array models;
  for (const GradedModel& model : report.models) {
    json::object entry = {{"sport", model.sport}, {"system_id", model.system_id}, {"graded", model.graded},
                          {"right", model.right}, {"wrong", model.wrong},         {"void", model.voided}};
    // No number where there is nothing to measure: 0 would read as perfect.
    if (model.graded > 0) entry["absolute_error"] = model.absolute_error;
    models.push_back(std::move(entry));
  }
  return json::serialize(json::object{{"game_date", report.game_date},
                                      {"graded", report.graded},
                                      {"void", report.voided},
                                      {"pending", report.pending},
                                      {"models", std::move(models)}});
}

Result<GradeReport> grade(Sql& sql, const std::string& game_date, WallTime now, Deadline deadline) {
  SERIN_CHECK(sql.transaction(
      [&](SqlSession& session) -> Status {
        const SqlRow which = {game_date, unix_ms(now)};
        SERIN_TRY([[maybe_unused]] const std::int64_t nba, session.execute(grade_nba, which));
        SERIN_TRY([[maybe_unused]] const std::int64_t mlb, session.execute(grade_mlb, which));
        return {};
      },
      deadline));
  return read_grades(sql, game_date, deadline);
}

Result<GradeReport> read_grades(Sql& sql, const std::string& game_date, Deadline deadline) {
  GradeReport report{.game_date = game_date};
  SERIN_TRY(const SqlTable table, sql.query(R"sql(
SELECT sport, system_id, COUNT(actual), COALESCE(AVG(absolute_error), 0.0),
  COUNT(CASE WHEN side = 'right' THEN 1 END), COUNT(CASE WHEN side = 'wrong' THEN 1 END),
  COUNT(CASE WHEN side = 'void' THEN 1 END)
FROM prediction_accuracy WHERE game_date = $1 GROUP BY sport, system_id ORDER BY sport DESC, system_id)sql",
                                            {game_date}, deadline));
  for (const SqlRow& row : table.rows) {
    Cells cells(row);
    GradedModel model{.sport = cells.text(), .system_id = cells.text()};
    model.graded = cells.whole();
    model.absolute_error = cells.real();
    model.right = cells.whole();
    model.wrong = cells.whole();
    model.voided = cells.whole();
    SERIN_CHECK(cells.done());
    report.graded += model.graded;
    report.voided += model.voided;
    report.models.push_back(std::move(model));
  }
  SERIN_TRY(const SqlTable pending, sql.query(R"sql(
SELECT COUNT(*) FROM predictions p WHERE p.game_date = $1 AND NOT EXISTS (
  SELECT 1 FROM games g WHERE g.game_id = p.game_id AND g.status = 'final'))sql",
                                              {game_date}, deadline));
  Cells cells(pending.rows.at(0));
  report.pending = cells.whole();
  SERIN_CHECK(cells.done());
  return report;
}

}  // namespace serin::fleet
