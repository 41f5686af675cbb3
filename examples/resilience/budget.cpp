// Bounds what retries add to an outage: with an empty budget there is one attempt a call.
#include "serin/retry/presets.hpp"
#include "world.hpp"

using namespace example;

int main() {
  World world;
  Peer peer{.failures = 1'000'000};
  // snippet
  const auto policy = retry::Retry::make({.max_attempts = 4, .backoff = {.first = 1ms, .most = 1ms}}).value();
  retry::TokenBudget budget({.ratio = 0.1, .most = 10});  // shared by everybody who calls this peer
  const auto guarded = guard::pipeline(guard::Retrying{policy, budget});
  for (int i = 0; i < 200; ++i)
    static_cast<void>(guarded.run(world.call(), [&](const Context&) { return peer.ping(); }));
  // snippet
  say(fmt::format("200 calls of a peer that is down made {} attempts, not 800", peer.calls));
}
