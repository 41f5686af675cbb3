// The three forms of a check. Try it: build/release/bin/health_example
#include <fmt/format.h>

#include <future>
#include <thread>

#include "serin/health/health.hpp"
#include "serin/system/clock.hpp"

using namespace serin;
using health::CheckAnswer;

int main() {
  const SystemClock clock;
  auto made = health::Health::make({}, clock);
  if (!made) return 2;
  health::Health& health = **made;

  // It blocks: it runs on a bounded pool, every 10 s, and on demand when somebody asks for it.
  const Status database = health.add({.name = "database", .timeout = 1s, .external = true}, [](Deadline) {
    return CheckAnswer::pass({{"rows", 12}});
  });

  // It answers later, on whatever thread: here on one of its own.
  std::jthread client;
  const Status mail = health.add_async(
      {.name = "mail", .critical = false, .every = {}}, [&client](const health::CheckContext&, const auto& done) {
        client = std::jthread([done] { done(CheckAnswer::fail("refused", "smtp://app:secret@mail refused")); });
      });

  // Nobody asks it: the loop says that it lives, and is unknown when it has not for 5 s.
  const Status loop = health.add_pushed({.name = "loop", .kinds = health::Kind::liveness, .ttl = 5s});
  if (!database || !mail || !loop || !health.beat("loop")) return 2;

  // What is known once everybody answered, or after a second.
  std::promise<health::HealthReport> answered;
  const auto ready = [&] { return health.status(health::Kind::readiness) == health::HealthStatus::up; };
  while (!ready()) std::this_thread::yield();
  health.ask({}, Deadline::after(clock.now(), 1s),
             [&](const std::optional<health::HealthReport>& report) { answered.set_value(*report); });
  const health::HealthReport report = answered.get_future().get();
  for (const health::CheckReport& check : report.checks)
    fmt::print("{}: {} {}\n", check.name, health_status_name(check.answer.status), check.answer.error);
  fmt::print("in all: {}\n", health_status_name(report.status));
  return health.stop() ? 0 : 1;
}
