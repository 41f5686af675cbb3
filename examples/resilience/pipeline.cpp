// Several of them around one call, the outermost first, and somebody who hears of what happens.
#include "serin/retry/presets.hpp"
#include "world.hpp"

using namespace example;

// snippet
struct Heard {
  int* retries;
  void on_event(const guard::Happening& happening) const {
    if (happening.what == guard::What::retry_wait) ++*retries;
  }
};
// snippet

int main() {
  World world;
  Peer peer{.failures = 2};
  int retries = 0;
  // snippet
  const auto policy = retry::preset("http_client").value();
  retry::TokenBudget budget;
  const auto breaker = breaker::Breaker::make({.name = "orders", .slow_call = 2s}).value();
  const auto places = limit::Bulkhead::make({.name = "orders", .most = 32}).value();
  const auto guarded = guard::pipeline(guard::TotalDeadline{3s}, guard::Retrying{policy, budget},
                                       guard::Breaking{*breaker}, guard::Bounded{*places}, guard::AttemptTimeout{800ms})
                           .observed(Heard{&retries});
  const auto answer = guarded.run(world.call(), [&](const Context&) { return peer.ping(); });
  // snippet
  say(fmt::format("{} after {} retries", said(answer), retries));
}
