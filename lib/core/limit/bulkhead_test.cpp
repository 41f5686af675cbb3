// Goal: never one too many, first come first served, nothing leaks. Method: places that are held, dropped and raced
// for.
#include "serin/limit/bulkhead.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "serin/sim/world.hpp"

namespace serin::limit {
namespace {

std::unique_ptr<Bulkhead> bulkhead(std::int64_t most, std::int64_t waiting = 0) {
  return Bulkhead::make({.name = "db", .most = most, .most_waiting = waiting}).value();
}

TEST(Bulkhead, lets_so_many_in_and_takes_places_back) {
  auto b = bulkhead(2);
  auto first = std::make_unique<Result<Place>>(b->try_enter());
  const auto second = b->try_enter();
  EXPECT_EQ(b->try_enter().error().detail(), "bulkhead 'db' is full: 2 calls at once and 0 that wait are its limit");
  first.reset();
  EXPECT_TRUE(b->try_enter().has_value());
  EXPECT_EQ(b->snapshot().inside, 1) << "the last one was a temporary";
  EXPECT_EQ(b->snapshot().rejected, 1);
}

TEST(Bulkhead, makes_waiting_end_by_the_deadline_by_a_place_or_by_cancelling) {
  sim::World world;
  auto b = bulkhead(1, 1);
  auto held = std::make_unique<Result<Place>>(b->try_enter());
  const Instant began = world.now();
  EXPECT_EQ(b->enter(world.sleeper(), Deadline::after(began, 50ms)).error().code(), Errc::deadline_exceeded);
  EXPECT_EQ(world.now() - began, 50ms);
  world.at(world.now() + 20ms, [&] { held.reset(); });
  EXPECT_TRUE(b->enter(world.sleeper(), Deadline::after(world.now(), 1s)).has_value());
  held = std::make_unique<Result<Place>>(b->try_enter());
  world.request_stop();
  EXPECT_EQ(b->enter(world.sleeper(), Deadline::after(world.now(), 1s)).error().code(), Errc::cancelled);
  EXPECT_EQ(b->snapshot().waiting, 0) << "nobody stays in the queue";
}

TEST(Bulkhead, is_exact_under_threads) {
  auto b = bulkhead(3);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 5000; ++j)
          if (const auto place = b->try_enter()) {
            const int now = ++inside;
            int seen = most;
            while (now > seen && !most.compare_exchange_weak(seen, now)) {
            }
            --inside;
          }
      });
  }
  EXPECT_LE(most, 3);
  EXPECT_EQ(b->snapshot().inside, 0);
}

TEST(Bulkhead, that_makes_no_sense_is_refused_with_the_field) {
  EXPECT_EQ(Bulkhead::make({.name = "db", .most = 0}).error().detail(),
            "bulkhead 'db': most must be from 1 to 100000, not 0");
}

}  // namespace
}  // namespace serin::limit
