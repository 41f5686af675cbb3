// Drills in which the data is wrong and every service works: empty tables, with and without games, and lost rows.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "drill.hpp"
#include "serin/checks/run.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {
namespace {

using checks::Outcome;

constexpr std::string_view no_games = "2031-07-01";
constexpr std::array about_today{"predictions cover the eligible players of today", "features are fresh",
                                 "the context of upcoming games is fresh"};
constexpr std::string_view none_waits = "no row of an earlier day waits in staging";
constexpr std::string_view none_lost = "no model's prediction is lost";

/// The warehouse of a drill's fleet, and the fleet's own check file. Threads: main's.
class Data {
 public:
  static Result<Data> open(DrillRun& drill) {
    SERIN_TRY(const config::FleetSpec spec, drill.context().fleet());
    const std::string path = std::filesystem::path(spec.file).replace_filename("checks.yaml").string();
    SERIN_TRY(const std::string text, read_file(path));
    SERIN_TRY(checks::CheckFile file, checks::load_checks(text, path, checks::Engine::sqlite));
    SERIN_TRY(auto sql, SqliteSql::open({.path = drill.fleet().state() + "/warehouse.db"}, drill.context().sleeper()));
    return Data(drill, std::move(file), std::move(sql));
  }
  /// Changes the tables. Errors: the database's.
  Status change(std::string_view statement, std::initializer_list<SqlValue> parameters = {}) {
    SERIN_CHECK(sql_->execute(statement, parameters, Deadline::after(drill_.context().sleeper().now(), 10s)));
    return {};
  }
  /// What `serin check run fleet/checks.yaml --set today=DATE` finds.
  Result<checks::CheckReport> run(std::string_view today) {
    checks::RunOptions options{.parameters = {{"today", std::string(today)}}};
    options.deadline = Deadline::after(drill_.context().sleeper().now(), 30s);
    return checks::run_checks(file_, *sql_, checks::Dialect{.engine = checks::Engine::sqlite},
                              drill_.context().sleeper(), nullptr, options);
  }

 private:
  Data(DrillRun& drill, checks::CheckFile file, std::unique_ptr<SqliteSql> sql)
      : drill_(drill), file_(std::move(file)), sql_(std::move(sql)) {}
  DrillRun& drill_;
  checks::CheckFile file_;
  std::unique_ptr<SqliteSql> sql_;
};

const checks::CheckResult* find(const checks::CheckReport& report, std::string_view name) {
  const auto found = std::ranges::find(report.results, name, &checks::CheckResult::name);
  return found == report.results.end() ? nullptr : &*found;
}
std::string seen(const checks::CheckResult* result) {
  return result == nullptr ? "there is no such check"
                           : fmt::format("{}: {}", checks::outcome_name(result->outcome), result->reason);
}
void expect_outcome(DrillRun& drill, const checks::CheckReport& report, std::string_view name, Outcome outcome,
                    std::string_view when) {
  const checks::CheckResult* found = find(report, name);
  drill.expect(fmt::format("{}: '{}' is {}", when, name, checks::outcome_name(outcome)),
               found != nullptr && found->outcome == outcome, seen(found));
}

Status empty_game_day(DrillRun& drill) {
  SERIN_TRY(Data data, Data::open(drill));
  SERIN_TRY(const checks::CheckReport before, data.run(drill.date()));
  for (const char* name : about_today) expect_outcome(drill, before, name, Outcome::pass, "with the day's predictions");
  drill.fleet().say("every table but the schedule is emptied");
  for (const char* table : {"predictions", "predictions_staging", "upcoming_player_game_context", "ml_feature_store"})
    SERIN_CHECK(data.change(fmt::format("DELETE FROM {}", table)));
  SERIN_TRY(const checks::CheckReport empty, data.run(drill.date()));
  for (const char* name : about_today) expect_outcome(drill, empty, name, Outcome::fail, "on a day with games");
  SERIN_TRY(const checks::CheckReport idle, data.run(no_games));
  for (const char* name : about_today)
    expect_outcome(drill, idle, name, Outcome::not_evaluated, "on a day without games");
  return {};
}

Status staging_row_lost(DrillRun& drill) {
  SERIN_TRY(Data data, Data::open(drill));
  SERIN_TRY(const checks::CheckReport before, data.run(drill.date()));
  for (const std::string_view name : {none_waits, none_lost})
    expect_outcome(drill, before, name, Outcome::pass, "after the merge");
  SERIN_CHECK(drill.expect_data("pass", "after the merge"));

  drill.fleet().say("a row comes to the staging table that no merge takes");
  SERIN_CHECK(data.change(
      "INSERT INTO predictions_staging(prediction_id, batch_id, sport, system_id, player_id, game_id, game_date, "
      "predicted, confidence, recommendation, line, model_version, created_at) SELECT 'late', batch_id, sport, "
      "system_id, "
      "player_id, game_id, game_date, predicted, confidence, recommendation, line, model_version, created_at FROM "
      "predictions LIMIT 1"));
  SERIN_TRY(const checks::CheckReport waiting, data.run(no_games));
  expect_outcome(drill, waiting, none_waits, Outcome::warn, "on a later day");
  SERIN_CHECK(drill.expect_data("warn", "with the row that waits"));
  SERIN_CHECK(data.change("DELETE FROM predictions_staging"));
  SERIN_CHECK(drill.expect_data("pass", "without it"));

  drill.fleet().say("merged rows of three players are lost");
  SERIN_CHECK(data.change("CREATE TABLE kept AS SELECT * FROM predictions"));
  SERIN_CHECK(
      data.change("DELETE FROM predictions WHERE prediction_id IN (SELECT MIN(prediction_id) FROM predictions "
                  "GROUP BY player_id HAVING COUNT(*) > 1 LIMIT 3)"));
  SERIN_TRY(const checks::CheckReport lost, data.run(drill.date()));
  expect_outcome(drill, lost, none_lost, Outcome::warn, "with three lost");
  const checks::CheckResult* found = find(lost, none_lost);
  drill.expect("and their number is right", found != nullptr && found->value == 3, seen(found));
  SERIN_CHECK(drill.expect_data("warn", "with three lost"));

  drill.fleet().say("they are back");
  SERIN_CHECK(data.change("INSERT OR IGNORE INTO predictions SELECT * FROM kept"));
  SERIN_CHECK(data.change("DROP TABLE kept"));
  SERIN_TRY(const checks::CheckReport after, data.run(drill.date()));
  expect_outcome(drill, after, none_lost, Outcome::pass, "repaired");
  return drill.expect_data("pass", "repaired");
}

constexpr Drill drills[] = {
    {"empty-game-day", "the tables are empty on a day with games, and on one without", empty_game_day},
    {"staging-row-lost", "a prediction is never merged, and merged ones are lost", staging_row_lost},
};

}  // namespace

std::span<const Drill> data_drills() { return drills; }

}  // namespace serin::tool
