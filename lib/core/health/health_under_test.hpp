#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "serin/health/health.hpp"
#include "serin/sim/world.hpp"

namespace serin::health {

/// Runs its work when the test says so.
struct ManualExecutor final : Executor {
  bool submit(std::function<void()> one) override {
    if (work.size() + hung >= limit) return false;
    work.push_back(std::move(one));
    return true;
  }
  void run() {
    while (!work.empty()) {
      const auto one = std::move(work.front());
      work.pop_front();
      one();
    }
  }
  /// Takes what waits and never runs it: it hangs.
  void hang() {
    hung += work.size();
    for (auto& one : work) hanging.push_back(std::move(one));
    work.clear();
  }
  std::size_t limit = 16;
  std::size_t hung = 0;
  std::deque<std::function<void()>> work;
  std::deque<std::function<void()>> hanging;
};

inline CheckAnswer boom() { return CheckAnswer::fail("broken", "it is broken"); }

struct AHealth : testing::Test {
  AHealth() {
    auto made = Health::make({}, world.sleeper(),
                             {.metrics = &registry, .log = &logger, .executor = &executor, .scheduled = false});
    health = std::move(*made);
  }
  /// Time passes, what is due runs, and what came of it is known.
  void turn(Duration by = {}) {
    world.advance(by);
    health->poll();
    executor.run();
    health->poll();
  }
  HealthReport now(Kind kind = Kind::deep) { return *health->report({.kind = kind}); }
  CheckAnswer only() { return now().checks.at(0).answer; }
  void add(CheckOptions options, CheckFunction check) {
    const Status added = health->add(std::move(options), std::move(check));
    ASSERT_TRUE(added) << added.error().text();
  }
  bool logged(std::string_view text) const {
    return std::ranges::any_of(world.log_lines(), [&](const std::string& line) { return line.contains(text); });
  }
  sim::World world;
  metrics::Registry registry;
  const Logger logger{world.log()};
  ManualExecutor executor;
  std::unique_ptr<Health> health;
};

}  // namespace serin::health
