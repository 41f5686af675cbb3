// Brooker's model ("Exponential Backoff And Jitter", 2015): N clients want to change one row under optimistic
// concurrency. Each reads, writes, and after a conflict backs off and starts again. It is here to be reproduced first:
// whoever does not get these figures need not be believed about the others.
#include <fmt/format.h>

#include <array>

#include "scenario.hpp"
#include "serin/retry/backoff.hpp"

namespace serin::herd {
namespace {

constexpr int clients = 100;

struct Variant {
  std::string_view name;
  bool waits;
  retry::BackoffOptions options;
  double known_calls;  // of an independent implementation, 200 seeds
  double known_margin;
  double known_ms;
};

// The blog's first ceiling is twice its base of 5 ms.
const std::array variants{
    Variant{"none", false, {}, 2416.6, 6.8, 2022},
    Variant{"exponential", true, {.first = 10ms, .most = 2s, .jitter = retry::Jitter::none}, 1861.5, 7.9, 63830},
    Variant{"equal", true, {.first = 10ms, .most = 2s, .jitter = retry::Jitter::equal}, 812.3, 1.1, 6619},
    Variant{"full", true, {.first = 10ms, .most = 2s, .jitter = retry::Jitter::full}, 796.0, 1.0, 4908},
    Variant{"decorrelated_aws_blog",
            true,
            {.first = 5ms, .most = 2s, .jitter = retry::Jitter::decorrelated_aws_blog},
            1001.8,
            4.0,
            4570},
};

struct Outcome {
  double calls = 0;
  double milliseconds = 0;
};

Outcome play(const Variant& variant, std::uint64_t seed) {
  Dice dice(seed);
  Timeline time;
  const retry::Backoff backoff = retry::Backoff::make(variant.options).value();
  std::int64_t version = 0;
  Outcome outcome;
  struct Client {
    int failures = 0;
    Duration waited{};
    std::int64_t read = 0;
  };
  std::vector<Client> all(clients);
  const auto hop = [&] { return duration_of_seconds(std::abs(0.010 + 0.002 * dice.normal())); };
  std::function<void(Client&)> start = [&](Client& client) {
    time.at(time.now() + hop(), [&] {  // the read reaches the server
      client.read = version;
      time.at(time.now() + hop(), [&] {    // its answer reaches the client, which writes at once
        time.at(time.now() + hop(), [&] {  // the write reaches the server
          outcome.calls += 1;
          const bool won = client.read == version;
          if (won) ++version;
          time.at(time.now() + hop(), [&, won] {
            if (won) {
              outcome.milliseconds = 1000 * seconds_of(time.now().time_since_epoch());
              return;
            }
            if (!variant.waits) return start(client);
            client.waited = backoff.wait(++client.failures, dice.next(), client.waited);
            time.at(time.now() + client.waited, [&] { start(client); });
          });
        });
      });
    });
  };
  for (Client& client : all) start(client);
  time.run(Instant::max());
  return outcome;
}

}  // namespace

bool run_contention(Report& report, Effort effort) {
  const int seeds = effort == Effort::check ? 20 : 100;
  report.text(
      fmt::format("## 1. Brooker's contention, to be believed at all\n"
                  "100 clients change one row under optimistic concurrency (\"Exponential Backoff And Jitter\"), {} "
                  "seeds. Beside ours "
                  "an independent implementation with 200 seeds.",
                  seeds));
  report.head({"", "calls", "known", "last one done, ms", "known"});
  bool reproduced = true;
  for (const Variant& variant : variants) {
    const auto outcomes = play_seeds(seeds, [&](std::uint64_t seed) { return play(variant, seed); });
    const Estimate c = over(outcomes, &Outcome::calls);
    const Estimate t = over(outcomes, &Outcome::milliseconds);
    report.add("contention", variant.name, "calls", c);
    report.add("contention", variant.name, "milliseconds", t);
    report.row({std::string(variant.name), cell(c, 0),
                fmt::format("{:.0f} +- {:.0f}", variant.known_calls, variant.known_margin), cell(t, 0),
                fmt::format("{:.0f}", variant.known_ms)});
    // Both are estimates: their difference has both margins.
    reproduced = reproduced &&
                 std::abs(c.mean - variant.known_calls) <=
                     1.5 * std::hypot(c.margin, variant.known_margin) + 0.005 * variant.known_calls &&
                 std::abs(t.mean - variant.known_ms) <= 0.03 * variant.known_ms + 1.5 * t.margin;
  }
  report.text(
      "Full jitter makes the fewest calls; the decorrelated form **wins** a little time and **loses** a quarter in "
      "calls. \"None\" is done first because this server has no limit: it is a model of contention, not of "
      "overload.");
  return reproduced;
}

}  // namespace serin::herd
