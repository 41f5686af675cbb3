#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "pool_under_test.hpp"

namespace serin::pool {

/// An engine whose steps a test takes itself, and waiters that no thread waits in.
class TheQueue : public testing::Test {
 protected:
  Options options() {
    return {.name = "thing", .max = 2, .max_lifetime = 0s, .idle_timeout = 0s, .upkeep = Upkeep::by_hand};
  }
  void make(Options options) {
    hooks.create = [this](Deadline, const std::stop_token&) -> Result<void*> {
      world.clock.advance(world.creation);
      if (world.before_creation) SERIN_CHECK(world.before_creation());
      return std::make_unique<Thing>(++world.made, world.living).release();
    };
    hooks.destroy = [](void* thing) { std::unique_ptr<Thing>(static_cast<Thing*>(thing)).reset(); };
    engine = Engine::make(std::move(options), hooks, world.clock, world.random, &world.log).value();
  }
  Waiter& join(Duration patience = 1h) {
    Waiter& waiter = waiters.emplace_back();
    waiter.since = now();
    waiter.until = world.in(patience);
    EXPECT_TRUE(engine->join(waiter, now(), false));
    return waiter;
  }
  std::vector<Slot*> lend(int count) {
    std::vector<Slot*> out;
    for (int i = 0; i < count; ++i)
      out.push_back(engine->borrow(world.in(1h), {}, std::source_location::current()).value());
    return out;
  }
  void warm(int count) { ASSERT_TRUE(engine->warm_up(count, world.in(1s), OnFailure::stop)); }
  [[nodiscard]] Instant now() const { return world.clock.now(); }
  std::optional<Job> job() { return engine->next_job(now()); }
  void audit() {
    const Status status = engine->audit();
    EXPECT_TRUE(status) << status.error().text();
  }
  World world;
  Hooks hooks;
  EngineOwner engine;
  std::deque<Waiter> waiters;
};

}  // namespace serin::pool
