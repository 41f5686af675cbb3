// A second request beside one that takes long; the first answer counts, the other is cancelled.
#include "serin/retry/presets.hpp"
#include "serin/system/tasks.hpp"
#include "world.hpp"

using namespace example;

int main() {
  World world;
  // snippet
  SystemTasks tasks(4);
  retry::TokenBudget budget;
  const auto hedge = guard::Hedge::make({.name = "orders", .delay = 10ms}).value();
  const auto guarded = guard::pipeline(guard::Hedging{*hedge, budget});
  Context call = world.call();
  call.tasks = &tasks;
  const auto answer = guarded.run(call, [&](const Context& attempt) -> Result<std::string_view> {
    if (attempt.hedge > 0) return "the second request";
    SERIN_CHECK(sleep_until(attempt.sleeper, attempt.sleeper.now() + 2s, attempt.stop));  // ends when it has lost
    return "the first request";
  });
  // snippet
  say(fmt::format("answered by {}", said(answer)));
}
