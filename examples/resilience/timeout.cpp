// One attempt ends in time, and the whole call does; a constant that cannot be right does not compile.
#include "serin/guard/timeouts.hpp"
#include "world.hpp"

using namespace example;

int main() {
  World world;
  // snippet
  static constexpr guard::Timeouts timeouts = checked(guard::Timeouts{.total = 3s, .attempt = 20ms});
  const auto guarded = guard::pipeline(timeouts.deadline(), timeouts.attempt_timeout());
  const auto answer = guarded.run(world.call(), [&](const Context& attempt) -> Result<std::string_view> {
    SERIN_CHECK(attempt.sleeper.sleep_until(attempt.deadline.at()));  // a peer that does not answer
    return fail(Errc::deadline_exceeded, "no answer in time");
  });
  // snippet
  say(fmt::format("given up: {}", said(answer)));
}
