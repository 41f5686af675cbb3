// Goal: a pool's numbers arrive in /metrics, and counters are told once however often they are asked for. Method: stats
// that the test makes up.
#include "serin/fleet_runtime/pool_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace serin::fleet {
namespace {

using testing::HasSubstr;

TEST(PoolMetrics, say_what_the_pool_says_once) {
  metrics::Registry registry;
  PoolMetrics metrics(registry, "warehouse");
  pool::Stats stats;
  stats.max = 8;
  stats.idle = 3;
  stats.in_use = 2;
  stats.borrows = 40;
  stats.closed_dead = 1;
  stats.wait.add(1500us);
  metrics.write({{"readers", stats}});
  metrics.write({{"readers", stats}});
  stats.borrows = 41;
  metrics.write({{"readers", stats}});
  const std::string text = registry.expose();
  EXPECT_THAT(text, HasSubstr(R"(fleet_pool_connections{database="warehouse",pool="readers",state="in_use"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(fleet_pool_max{database="warehouse",pool="readers"} 8)"));
  EXPECT_THAT(text, HasSubstr(R"(fleet_pool_borrows_total{database="warehouse",pool="readers",end="served"} 41)"));
  EXPECT_THAT(text, HasSubstr(R"(fleet_pool_closed_total{database="warehouse",pool="readers",why="dead"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(fleet_pool_wait_microseconds_total{database="warehouse",pool="readers"} 1500)"));
}

}  // namespace
}  // namespace serin::fleet
