// Another answer in the place of an error.
#include "world.hpp"

using namespace example;

int main() {
  World world;
  Peer peer{.failures = 1};
  // snippet
  const auto guarded = guard::pipeline(
      guard::Fallback{[](const Error&) -> Result<std::string_view> { return "what was known yesterday"; }});
  const auto answer = guarded.run(world.call(), [&](const Context&) { return peer.ping(); });
  // snippet
  say(fmt::format("the peer failed: {}", said(answer)));
}
