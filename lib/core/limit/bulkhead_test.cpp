// Goal: never one too many, first come first served, nothing leaks. Method: places that are held, dropped and raced
// for.
#include "serin/limit/bulkhead.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <stop_token>
#include <thread>
#include <utility>
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

/// Answers at the wrong moment on purpose: runs a script when somebody waits, and then says what it was told to say.
struct Scripted final : Sleeper {
  Instant now() const override { return Instant(1h); }
  WallTime wall() const override { return {}; }
  Status sleep_until(Instant) override { return {}; }
  Result<bool> wait(Event& event, Instant) override {
    if (meanwhile) std::exchange(meanwhile, nullptr)();
    if (cancelled) return fail(Errc::cancelled, "stop");
    return event.is_set();
  }
  std::function<void()> meanwhile;
  bool cancelled = false;
};

TEST(Bulkhead, hands_a_place_to_the_one_that_waited_longest_at_the_very_instant) {
  sim::World world;
  auto b = bulkhead(1, 3);
  auto held = std::make_unique<Result<Place>>(b->try_enter());
  const Instant began = world.now();
  // Three in line, by hand; each one that is served leaves after a second.
  struct Named final : Waiter {
    void on_place() noexcept override { served = true; }
    bool served = false;
  };
  std::array<Named, 3> line;
  for (Named& each : line) ASSERT_FALSE(b->enter_or_wait(each)->has_value());
  EXPECT_EQ(b->try_enter().error().code(), Errc::rejected);
  held.reset();
  EXPECT_TRUE(line[0].served);
  EXPECT_FALSE(line[1].served);
  EXPECT_EQ(b->try_enter().error().code(), Errc::rejected) << "nobody overtakes";
  EXPECT_FALSE(b->stop_waiting(line[1]).has_value()) << "the second one gave up";
  b->stop_waiting(line[0]).reset();
  EXPECT_TRUE(line[2].served);
  b->stop_waiting(line[2]).reset();
  EXPECT_EQ(b->snapshot().inside, 0);
  EXPECT_EQ(b->snapshot().waiting, 0);
  // And through the world: served when the place becomes free, not at the next look.
  held = std::make_unique<Result<Place>>(b->try_enter());
  world.at(began + 12345678ns, [&] { held.reset(); });
  EXPECT_TRUE(b->enter(world.sleeper(), Deadline::after(began, 1s)).has_value());
  EXPECT_EQ(world.now() - began, 12345678ns);
}

TEST(Bulkhead, a_place_given_in_the_last_moment_is_neither_lost_nor_double) {
  auto b = bulkhead(1, 1);
  Scripted sleeper;
  std::stop_source stop;
  auto held = std::make_unique<Result<Place>>(b->try_enter());
  sleeper.meanwhile = [&] { held.reset(); };
  EXPECT_TRUE(b->enter(sleeper, Deadline::never()).has_value());
  EXPECT_EQ(b->snapshot().inside, 0);
  held = std::make_unique<Result<Place>>(b->try_enter());
  sleeper.meanwhile = [&] { held.reset(), sleeper.cancelled = true; };
  EXPECT_EQ(b->enter(sleeper, Deadline::never()).error().code(), Errc::cancelled);
  EXPECT_EQ(b->snapshot().inside, 0) << "given and given up: given back";
  sleeper.cancelled = false;
  held = std::make_unique<Result<Place>>(b->try_enter());
  sleeper.meanwhile = [&] { held.reset(), stop.request_stop(); };
  EXPECT_EQ(b->enter(sleeper, Deadline::never(), stop.get_token()).error().code(), Errc::cancelled);
  EXPECT_EQ(b->snapshot().inside, 0);
  EXPECT_EQ(b->snapshot().waiting, 0);
}

TEST(Bulkhead, hand_off_under_threads_loses_no_place_whoever_gives_up) {
  auto b = bulkhead(2, 8);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> served = 0;
  /// Real waiting, without a clock: a wait ends by the event or by the stop token that comes from another thread.
  struct Blocking final : Sleeper {
    Instant now() const override { return Instant(1h); }
    WallTime wall() const override { return {}; }
    Status sleep_until(Instant) override { return {}; }
    Result<bool> wait(Event& event, Instant until) override {
      const std::atomic<bool> never = false;
      return event.block_until(until, never);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i)
      threads.emplace_back([&, i] {
        Blocking sleeper;
        for (int j = 0; j < 2000; ++j) {
          std::stop_source stop;
          // One in fifty is told to give up, by another thread, while it waits or just before or after.
          std::jthread killer;
          if (j % 50 == i) killer = std::jthread([&] { stop.request_stop(); });
          const auto place =
              b->enter(sleeper, j % 3 == 0 ? Deadline(Instant::min()) : Deadline::never(), stop.get_token());
          if (!place) continue;
          const int now = ++inside;
          int seen = most;
          while (now > seen && !most.compare_exchange_weak(seen, now)) {
          }
          ++served;
          --inside;
        }
      });
  }
  EXPECT_LE(most, 2);
  EXPECT_GT(served, 6 * 1000);
  EXPECT_EQ(b->snapshot().inside, 0);
  EXPECT_EQ(b->snapshot().waiting, 0);
}

TEST(Bulkhead, that_makes_no_sense_is_refused_with_the_field) {
  EXPECT_EQ(Bulkhead::make({.name = "db", .most = 0}).error().detail(),
            "bulkhead 'db': most must be from 1 to 100000, not 0");
}

}  // namespace
}  // namespace serin::limit
