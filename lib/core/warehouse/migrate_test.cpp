// Goal: every step is done once, in order, and a database from another time is refused. Method: SQLite in memory.
#include "serin/warehouse/migrate.hpp"

#include <gtest/gtest.h>

#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::warehouse {
namespace {

class Migrations : public testing::Test {
 protected:
  Status run(const std::vector<Migration>& steps) {
    return migrate(*sql, "shop", steps, world.sleeper(), Deadline::never());
  }
  sim::World world;
  std::unique_ptr<SqliteSql> sql = SqliteSql::open({.path = ":memory:"}, world.sleeper()).value();
  const Migration first{"tables", {"CREATE TABLE a(x INTEGER)", "INSERT INTO a VALUES(1)"}};
  const Migration second{"more", {"ALTER TABLE a ADD COLUMN y INTEGER"}};
};

TEST_F(Migrations, are_applied_once) {
  ASSERT_TRUE(run({first}));
  ASSERT_TRUE(run({first}));
  ASSERT_TRUE(run({first, second}));
  const auto rows = sql->query("SELECT x, y FROM a", {}, Deadline::never());
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(rows->rows.size(), 1u);
}

TEST_F(Migrations, a_changed_step_is_refused) {
  ASSERT_TRUE(run({first}));
  const Status changed = run({{"tables", {"CREATE TABLE a(x TEXT)"}}});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code(), Errc::conflict) << changed.error().text();
}

TEST_F(Migrations, a_database_of_a_newer_program_is_refused) {
  ASSERT_TRUE(run({first, second}));
  EXPECT_EQ(run({first}).error().code(), Errc::conflict);
}

TEST_F(Migrations, a_step_that_fails_leaves_nothing_of_itself) {
  ASSERT_TRUE(run({first}));
  const Status failed = run({first, {"broken", {"CREATE TABLE b(x)", "NONSENSE"}}});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().detail().find("step 'broken'"), std::string::npos) << failed.error().text();
  EXPECT_FALSE(sql->query("SELECT * FROM b", {}, Deadline::never())) << "rolled back with its step";
  EXPECT_TRUE(run({first, second})) << "and may be replaced, as it never was applied";
}

}  // namespace
}  // namespace serin::warehouse
