// Faults for drills: innermost, so that every other element meets them as it would meet real ones.
#include "serin/retry/presets.hpp"
#include "world.hpp"

using namespace example;

int main() {
  World world;
  Peer peer;
  // snippet
  const auto policy = retry::Retry::make({.max_attempts = 10, .backoff = {.first = 1ms, .most = 1ms}}).value();
  retry::TokenBudget budget({.ratio = 1, .most = 1000});
  guard::ChaosOptions drill{.fault_rate = 0.3};
  const auto guarded = guard::pipeline(guard::Retrying{policy, budget}, guard::Chaos{drill});
  int well = 0;
  for (int i = 0; i < 100; ++i)
    well += guarded.run(world.call(), [&](const Context&) { return peer.ping(); }).has_value() ? 1 : 0;
  // snippet
  say(fmt::format("{} of 100 calls were well although 30 % of the attempts were not", well));
}
