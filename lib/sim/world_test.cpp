// Goal: simulated time is exact and repeatable. Method: schedule, wait, compare.
#include "serin/sim/world.hpp"

#include <gtest/gtest.h>

namespace serin::sim {
namespace {

TEST(World, sleeping_runs_what_is_due_in_order_and_ends_exactly_then) {
  World world;
  const Instant start = world.now();
  std::string order;
  world.at(start + 2s, [&] { order += "b"; });
  world.at(start + 1s, [&] { order += "a"; });
  world.at(start + 3s, [&] { order += "c"; });
  ASSERT_TRUE(world.sleeper().sleep_for(2s));
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(world.now() - start, 2s);
}

TEST(World, a_stop_ends_a_sleep_where_it_was_requested) {
  World world;
  const Instant start = world.now();
  world.at(start + 1s, [&] { world.request_stop(); });
  EXPECT_EQ(world.sleeper().sleep_for(10s).error().code(), Errc::cancelled);
  EXPECT_EQ(world.now() - start, 1s);
}

TEST(World, an_event_that_is_set_on_the_way_ends_a_wait_there) {
  World world;
  const Instant start = world.now();
  Event event;
  EXPECT_FALSE(world.sleeper().wait(event, start + 1s).value());
  EXPECT_EQ(world.now() - start, 1s);
  world.at(start + 3s, [&] { event.set(); });
  EXPECT_TRUE(world.sleeper().wait(event, start + 10s).value());
  EXPECT_EQ(world.now() - start, 3s);
  EXPECT_TRUE(world.sleeper().wait(event, start + 10s).value());
  EXPECT_EQ(world.now() - start, 3s) << "it happened already";
  Event other;
  world.at(start + 4s, [&] { world.request_stop(); });
  EXPECT_EQ(world.sleeper().wait(other, start + 10s).error().code(), Errc::cancelled);
}

TEST(World, the_calendar_may_jump_while_time_goes_on) {
  World world;
  const WallTime before = world.sleeper().wall();
  world.jump_wall(-1h);
  world.advance(1s);
  EXPECT_EQ(world.sleeper().wall() - before, 1s - 1h);
}

TEST(SeededRandom, the_same_seed_gives_the_same_run) {
  SeededRandom a(7);
  SeededRandom b(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
  EXPECT_LT(a.unit(), 1.0);
  EXPECT_LT(a.below(3), 3u);
}

}  // namespace
}  // namespace serin::sim
