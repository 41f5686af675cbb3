// A limit on calls at once that finds itself: it falls when the peer gets slow.
#include "world.hpp"

using namespace example;

int main() {
  World world;
  // snippet
  const auto limit =
      limit::AdaptiveLimit::make({.name = "orders", .algorithm = limit::Algorithm::aimd, .first = 20}).value();
  const auto guarded = guard::pipeline(guard::Adapting{*limit});
  for (int i = 0; i < 500; ++i)
    static_cast<void>(guarded.run(
        world.call(), [&](const Context&) -> Result<int> { return fail(Errc::exhausted, "the peer says: later"); }));
  // snippet
  say(fmt::format("the limit fell from 20 to {:.0f} calls at once", limit->snapshot().limit));
}
