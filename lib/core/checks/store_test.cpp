// Goal: what was found is remembered as it was, and forgotten in time; a stopped validator shows as one. Method: a
// database in memory, simulated time.
#include "serin/checks/store.hpp"

#include <gtest/gtest.h>

#include "serin/checks/health_view.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::checks {
namespace {

class Store : public testing::Test {
 protected:
  CheckReport report(const std::string& run, std::optional<double> value, Outcome outcome = Outcome::pass) {
    CheckReport out{.run_id = run, .file = "dir/c.yaml", .at = world.sleeper().wall()};
    out.results.push_back({.id = "c.yaml/t/n",
                           .name = "n",
                           .table = "t",
                           .outcome = outcome,
                           .value = value,
                           .metric = value,
                           .rows = 7,
                           .limits = "fail > 1",
                           .reason = "why"});
    return out;
  }
  sim::World world;
  std::unique_ptr<Sql> sql = SqliteSql::open({.path = ":memory:"}, world.sleeper()).value();
  std::unique_ptr<ResultStore> store = ResultStore::open(*sql, Deadline::never()).value();
};

TEST_F(Store, keeps_results_and_forgets_the_old) {
  ASSERT_TRUE(store->save(report("1", 0.1), 48h, Deadline::never()));
  world.advance(24h);
  ASSERT_TRUE(store->save(report("2", std::nullopt, Outcome::error), 48h, Deadline::never()));
  auto found = store->results("", WallTime(), 10, Deadline::never()).value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].outcome, Outcome::error);
  EXPECT_FALSE(found[0].value) << "unknown is not zero";
  EXPECT_EQ(found[1].value, 0.1);
  EXPECT_EQ(found[1].rows, 7);
  EXPECT_EQ(store->metrics("c.yaml/t/n", 10, Deadline::never())->size(), 1u);
  world.advance(30h);
  ASSERT_TRUE(store->save(report("3", 2), 48h, Deadline::never()));
  found = store->results("", WallTime(), 10, Deadline::never()).value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].run_id, "2");
}

TEST_F(Store, gives_back_the_states_of_a_scan_bit_by_bit) {
  const std::map<std::string, StoredState> states{
      {"a", {.high = 5, .state = {.count = 3, .mean = 0.1, .m2 = 1e-300}}},
      {"b", {.high = 5, .state = {.extreme = std::string("1:2 'x'")}}},
      {"c", {.high = 5, .state = {.extreme = std::int64_t{-9223372036854775807}}}}};
  ASSERT_TRUE(store->save_states("scan", states, Deadline::never()));
  const auto found = store->states("scan", Deadline::never()).value();
  ASSERT_EQ(found.size(), 3u);
  for (const auto& [term, stored] : states) {
    EXPECT_EQ(found.at(term).high, stored.high);
    EXPECT_EQ(found.at(term).state.mean, stored.state.mean);
    EXPECT_EQ(found.at(term).state.m2, stored.state.m2);
    EXPECT_EQ(found.at(term).state.extreme, stored.state.extreme);
  }
}

TEST_F(Store, makes_a_health_check_that_ages) {
  const auto check = health_check(*store, world.sleeper(), {.file = "dir/c.yaml", .stale_after = 2h});
  const health::CheckContext context{.deadline = Deadline::never()};
  EXPECT_EQ(check(context).reason, "not_run_yet");
  ASSERT_TRUE(store->save(report("1", 1), 48h, Deadline::never()));
  EXPECT_EQ(check(context).status, health::HealthStatus::up);
  ASSERT_TRUE(store->save(report("2", 2, Outcome::fail), 48h, Deadline::never()));
  EXPECT_EQ(check(context).status, health::HealthStatus::degraded);
  EXPECT_EQ(check(context).error, "n: why");
  world.advance(3h);
  EXPECT_EQ(check(context).status, health::HealthStatus::unknown);
  EXPECT_EQ(check(context).reason, "stale");
}

}  // namespace
}  // namespace serin::checks
