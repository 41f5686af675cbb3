// Stops calling what is broken, and finds out carefully when it is not any more.
#include "world.hpp"

using namespace example;

int main() {
  World world;
  Peer peer{.failures = 20};
  // snippet
  const auto breaker =
      breaker::Breaker::make({.name = "orders", .calls = 20, .min_calls = 10, .open_for = 20ms, .half_open_calls = 2})
          .value();
  const auto guarded = guard::pipeline(guard::Breaking{*breaker});
  const auto call = [&] { return guarded.run(world.call(), [&](const Context&) { return peer.ping(); }); };
  // snippet
  for (int i = 0; i < 100; ++i) static_cast<void>(call());
  say(fmt::format("100 calls reached it {} times: {}", peer.calls, said(call())));
  peer.failures = 0;
  static_cast<void>(world.sleeper.sleep_for(30ms));
  static_cast<void>(call());
  say(fmt::format("{}, and the breaker is {}", said(call()),
                  breaker::state_name(breaker->snapshot(world.sleeper.now()).state)));
}
