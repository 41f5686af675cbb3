// Goal: what the data checks found is told until it is old, and a validator that stopped is not healthy. Method: small
// tables in memory on fake time.
#include "serin/fleet_validation/validator.hpp"

#include <gtest/gtest.h>

#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::fleet {
namespace {

constexpr std::string_view rows_there = "version: 1\nchecks:\n  - {table: games, row_count: {}, fail: \"< 1\"}\n";

struct ValidatorOfTables : testing::Test {
  ValidatorOfTables() {
    static_cast<void>(warehouse->execute("CREATE TABLE games(game_id TEXT)", {}, Deadline::never()));
  }
  Result<std::unique_ptr<Validator>> make(std::string_view text) {
    return Validator::make({.file = "checks.yaml", .text = std::string(text), .runner = "a", .every = 1min}, *warehouse,
                           *store, world.sleeper(), metrics, logger);
  }
  health::CheckAnswer health(const Validator& validator) {
    return validator.health_check()({.deadline = Deadline::never(), .stop = {}});
  }
  sim::World world;
  Logger logger{world.log()};
  metrics::Registry metrics;
  std::unique_ptr<Sql> warehouse = SqliteSql::open({.path = ":memory:"}, world.sleeper()).value();
  std::unique_ptr<Sql> store = SqliteSql::open({.path = ":memory:"}, world.sleeper()).value();
};

TEST_F(ValidatorOfTables, that_never_ran_is_unknown_and_a_run_is_told) {
  const auto validator = make(rows_there).value();
  EXPECT_EQ(validator->last_report(), "");
  EXPECT_EQ(health(*validator).reason, "not_run_yet");
  ASSERT_TRUE(validator->run(Deadline::never()));
  EXPECT_EQ(health(*validator).status, health::HealthStatus::degraded) << "an empty table degrades, it ends nothing";
  EXPECT_EQ(health(*validator).reason, "data_check_failed");
  EXPECT_TRUE(validator->last_report().contains(R"("outcome":"fail")")) << validator->last_report();
  EXPECT_TRUE(metrics.expose().contains("check_outcome{")) << metrics.expose();

  world.advance(1min);
  static_cast<void>(warehouse->execute("INSERT INTO games VALUES('g')", {}, Deadline::never()));
  ASSERT_TRUE(validator->run(Deadline::never()));
  EXPECT_EQ(health(*validator).status, health::HealthStatus::up);
  EXPECT_TRUE(validator->last_report().contains(R"("outcome":"pass")")) << validator->last_report();
}

TEST_F(ValidatorOfTables, that_stopped_running_is_unknown_whatever_it_had_found) {
  static_cast<void>(warehouse->execute("INSERT INTO games VALUES('g')", {}, Deadline::never()));
  const auto validator = make(rows_there).value();
  ASSERT_TRUE(validator->run(Deadline::never()));
  world.advance(179s);
  EXPECT_EQ(health(*validator).status, health::HealthStatus::up);
  world.advance(2s);
  EXPECT_EQ(health(*validator).status, health::HealthStatus::unknown);
  EXPECT_EQ(health(*validator).reason, "stale");
}

TEST_F(ValidatorOfTables, that_could_not_be_evaluated_is_unknown) {
  static_cast<void>(warehouse->execute("DROP TABLE games", {}, Deadline::never()));
  const auto validator = make(rows_there).value();
  ASSERT_TRUE(validator->run(Deadline::never()));
  EXPECT_EQ(health(*validator).status, health::HealthStatus::unknown);
  EXPECT_EQ(health(*validator).reason, "data_check_error");
}

TEST_F(ValidatorOfTables, whose_results_cannot_be_kept_says_so) {
  const auto validator = make(rows_there).value();
  static_cast<void>(store->execute("DROP TABLE check_runs", {}, Deadline::never()));
  EXPECT_FALSE(validator->run(Deadline::never()));
  ASSERT_FALSE(world.log_lines().empty());
  EXPECT_TRUE(world.log_lines().back().contains("check_runs")) << world.log_lines().back();
  EXPECT_EQ(health(*validator).status, health::HealthStatus::unknown);
}

TEST_F(ValidatorOfTables, with_a_file_that_is_wrong_does_not_begin) {
  const auto made = make("version: 1\nchecks:\n  - {table: games, row_cuont: {}}\n");
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().detail().contains("checks.yaml:3:")) << made.error().detail();
}

}  // namespace
}  // namespace serin::fleet
