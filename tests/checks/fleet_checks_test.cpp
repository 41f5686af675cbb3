// Goal: the fleet's check file fits the fleet's tables, and the drills "empty tables on a game day / on a day without
// games", "a column is missing" and "a staging row is lost" end as written. Method: the fleet's schema in a database in
// memory, fleet/checks.yaml from the source tree, simulated time (2026-04-09T18:03:00Z).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "serin/checks/health_view.hpp"
#include "serin/checks/run.hpp"
#include "serin/fleet_pipeline/schema.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::checks {
namespace {

constexpr std::string_view coverage = "predictions cover the eligible players of today";
constexpr std::string_view features = "features are fresh";

class FleetChecks : public testing::Test {
 protected:
  FleetChecks() {
    EXPECT_TRUE(fleet::prepare_warehouse(*sql, world.sleeper(), Deadline::never()));
    std::ifstream in(std::string(std::getenv("SERIN_SOURCE_DIR")) + "/fleet/checks.yaml");
    std::stringstream text;
    text << in.rdbuf();
    auto loaded = load_checks(text.str(), "fleet/checks.yaml", Engine::sqlite);
    EXPECT_TRUE(loaded) << loaded.error().detail();
    if (loaded) file = *std::move(loaded);
  }
  void execute(const std::string& statement) {
    const auto done = sql->execute(statement, std::span<const SqlValue>(), Deadline::never());
    ASSERT_TRUE(done) << statement << ": " << done.error().text();
  }
  void add_game() {
    execute("INSERT INTO games VALUES('g1', 'nba', '2026-04-09', '2025-26', 'BOS', 'LAL', 'scheduled', 1775757780000)");
  }
  void add_player(int number, std::string_view status = "active") {
    execute(
        fmt::format("INSERT INTO upcoming_player_game_context VALUES('p{}', 'g1', '2026-04-09', 'nba', '2025-26', "
                    "'BOS', 'LAL', 1, 2, "
                    "20.5, 'market', 30, 40, '{}', 1775757780000)",
                    number, status));
  }
  void add_prediction(int number) {
    execute(
        fmt::format("INSERT INTO predictions VALUES('x{0}', 'b1', 'nba', 'ensemble', 'p{0}', 'g1', '2026-04-09', 21.5, "
                    "60, 'OVER', 20.5, '1', 1775757780000)",
                    number));
  }
  CheckReport run() {
    const auto report = run_checks(file, *sql, {Engine::sqlite}, world.sleeper(), nullptr, {});
    EXPECT_TRUE(report) << report.error().text();
    return *report;
  }
  static const CheckResult& of(const CheckReport& report, std::string_view name) {
    for (const CheckResult& result : report.results)
      if (result.name == name) return result;
    ADD_FAILURE() << "there is no check " << name;
    return report.results.front();
  }
  sim::World world;
  std::unique_ptr<Sql> sql = SqliteSql::open({.path = ":memory:"}, world.sleeper()).value();
  CheckFile file;
};

TEST_F(FleetChecks, fit_the_fleets_tables) {
  for (const CheckResult& result : run().results)
    EXPECT_NE(result.outcome, Outcome::error) << result.name << result.reason;
}

TEST_F(FleetChecks, on_a_day_without_games_empty_tables_are_not_evaluated) {
  const CheckReport report = run();
  EXPECT_EQ(of(report, coverage).outcome, Outcome::not_evaluated) << of(report, coverage).reason;
  EXPECT_EQ(of(report, features).outcome, Outcome::not_evaluated);
  EXPECT_EQ(report.count(Outcome::fail), 0);
}

TEST_F(FleetChecks, on_a_game_day_empty_tables_fail) {
  add_game();
  const CheckReport report = run();
  EXPECT_EQ(of(report, coverage).outcome, Outcome::fail) << of(report, coverage).reason;
  EXPECT_EQ(of(report, features).outcome, Outcome::fail);
  EXPECT_EQ(gate(report).verdict, GateVerdict::fail);
}

TEST_F(FleetChecks, coverage_counts_eligible_players_only) {
  add_game();
  for (int i = 0; i < 10; ++i) add_player(i);
  add_player(10, "out");
  for (int i = 0; i < 9; ++i) add_prediction(i);
  EXPECT_EQ(of(run(), coverage).outcome, Outcome::pass) << of(run(), coverage).reason;
  EXPECT_EQ(of(run(), coverage).value, 90);
  execute("DELETE FROM predictions WHERE player_id = 'p8'");
  EXPECT_EQ(of(run(), coverage).outcome, Outcome::warn);
  execute("DELETE FROM predictions WHERE player_id = 'p7'");
  EXPECT_EQ(of(run(), coverage).outcome, Outcome::fail);
}

TEST_F(FleetChecks, a_missing_column_is_an_error_of_its_checks_and_of_no_other) {
  add_game();
  execute("ALTER TABLE ml_feature_store RENAME COLUMN quality TO qualitys");
  const CheckReport report = run();
  EXPECT_EQ(of(report, "ml_feature_store has its columns").outcome, Outcome::fail);
  const CheckResult& range = of(report, "ml_feature_store.quality is in its range");
  EXPECT_EQ(range.outcome, Outcome::error);
  EXPECT_EQ(range.reason, "ml_feature_store has no column quality; did you mean qualitys?");
  EXPECT_EQ(of(report, "no more games than expected").outcome, Outcome::not_evaluated);
  EXPECT_EQ(of(report, "games.sport has accepted values").outcome, Outcome::pass);
}

TEST_F(FleetChecks, a_staging_row_that_nobody_merged_shows_on_the_next_day) {
  const auto add = [&](int number, std::string_view date) {
    execute(
        fmt::format("INSERT INTO predictions_staging VALUES({0}, 'x{0}', 'b1', 'nba', 'ensemble', 'p{0}', 'g1', "
                    "'{1}', 21.5, 60, 'OVER', 20.5, '1', 1775757780000)",
                    number, date));
  };
  add(1, "2026-04-09");
  EXPECT_EQ(of(run(), "no row of an earlier day waits in staging").outcome, Outcome::pass) << "its merge is to come";
  add(2, "2026-04-08");
  EXPECT_EQ(of(run(), "no row of an earlier day waits in staging").outcome, Outcome::warn);
}

TEST_F(FleetChecks, a_merged_row_that_is_lost_shows_beside_those_of_the_other_players) {
  for (const int player : {1, 2, 3})
    for (const char* model : {"ensemble", "recent"})
      execute(
          fmt::format("INSERT INTO predictions VALUES('{1}{0}', 'b1', 'nba', '{1}', 'p{0}', 'g1', '2026-04-09', 21.5, "
                      "60, 'OVER', 20.5, '1', 1775757780000)",
                      player, model));
  constexpr std::string_view lost = "no model's prediction is lost";
  EXPECT_EQ(of(run(), lost).outcome, Outcome::pass) << of(run(), lost).reason;
  execute("DELETE FROM predictions WHERE prediction_id = 'recent2'");
  EXPECT_EQ(of(run(), lost).outcome, Outcome::warn) << of(run(), lost).reason;
  EXPECT_EQ(of(run(), lost).value, 1);
}

}  // namespace
}  // namespace serin::checks
