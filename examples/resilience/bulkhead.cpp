// So many calls at once, so that one slow peer cannot take every thread; those who wait are served in their order.
#include <atomic>
#include <thread>
#include <vector>

#include "world.hpp"

using namespace example;

int main() {
  World world;
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  // snippet
  const auto places = limit::Bulkhead::make({.name = "orders", .most = 2, .most_waiting = 8}).value();
  const auto guarded = guard::pipeline(guard::Bounded{*places});
  const auto call = [&] {
    return guarded.run(world.call(), [&](const Context& attempt) -> Result<int> {
      most = std::max<int>(most, ++inside);
      static_cast<void>(attempt.sleeper.sleep_for(2ms));
      return --inside;
    });
  };
  // snippet
  std::atomic<int> served = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 8; ++i) callers.emplace_back([&] { served += call().has_value() ? 1 : 0; });
  }
  say(fmt::format("{} of 8 callers were served, at most {} at once", served.load(), most.load()));
}
