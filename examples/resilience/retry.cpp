// Tries again what may be tried again, later and later, spread at random, and never past the deadline.
#include "serin/retry/presets.hpp"
#include "world.hpp"

using namespace example;

int main() {
  World world;
  Peer peer{.failures = 2};
  // snippet
  const auto policy = retry::Retry::make({.max_attempts = 4, .backoff = {.first = 5ms, .most = 50ms}}).value();
  retry::TokenBudget budget;  // a tenth of the calls may be retries, ten to begin with
  const auto guarded = guard::pipeline(guard::Retrying{policy, budget});
  const auto answer = guarded.run(world.call(), [&](const Context&) { return peer.ping(); });
  // snippet
  say(fmt::format("{} after {} attempts", said(answer), peer.calls));
}
