// Brooker's model ("Exponential Backoff And Jitter", 2015): N clients want to change one row under optimistic
// concurrency. Each reads, writes, and after a conflict backs off and starts again. It is here to be reproduced first:
// whoever does not get these figures need not be believed about the others.
#include <fmt/format.h>

#include <array>

#include "scenario.hpp"

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

bool run_contention(Table& table, int seeds) {
  bool reproduced = true;
  for (const Variant& variant : variants) {
    std::vector<double> calls;
    std::vector<double> times;
    for (int seed = 1; seed <= seeds; ++seed) {
      const Outcome outcome = play(variant, static_cast<std::uint64_t>(seed) * 7919);
      calls.push_back(outcome.calls);
      times.push_back(outcome.milliseconds);
    }
    const Estimate c = estimate(calls);
    const Estimate t = estimate(times);
    table.add("contention", variant.name, "calls", c);
    table.add("contention", variant.name, "milliseconds", t);
    // Both are estimates: their difference has both margins.
    reproduced = reproduced &&
                 std::abs(c.mean - variant.known_calls) <=
                     1.5 * std::hypot(c.margin, variant.known_margin) + 0.005 * variant.known_calls &&
                 std::abs(t.mean - variant.known_ms) <= 0.03 * variant.known_ms + 1.5 * t.margin;
  }
  return reproduced;
}

}  // namespace serin::herd
