// So many calls a second, evenly, with a burst after a pause.
#include "world.hpp"

using namespace example;

int main() {
  World world;
  Peer peer;
  // snippet
  const auto rate = limit::RateLimit::make({.name = "api", .rate = 200, .burst = 5}).value();
  const auto guarded = guard::pipeline(guard::Paced{*rate});
  const Instant began = world.sleeper.now();
  for (int i = 0; i < 25; ++i)
    static_cast<void>(guarded.run(world.call(), [&](const Context&) { return peer.ping(); }));
  // snippet
  const Duration took = world.sleeper.now() - began;
  say(fmt::format("25 calls, five at once and the rest at 200 a second: {}", took >= 100ms ? "paced" : "too fast"));
}
