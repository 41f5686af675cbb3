// Ten thousand clients lose their server at once. It comes back after five seconds, takes 1000 a second, lets 100 wait
// and refuses the rest; everybody tries again until it is served. Ten seconds would be ideal.
#include <array>

#include "scenario.hpp"

namespace serin::herd {
namespace {

constexpr std::size_t clients = 10'000;
constexpr double capacity = 1000;
constexpr int queue_limit = 100;
constexpr Duration away = 5s;

struct Variant {
  std::string_view name;
  retry::BackoffOptions options;
};
const std::array variants{
    Variant{"fixed 1 s", {.shape = retry::Shape::constant, .first = 1s, .most = 1s, .jitter = retry::Jitter::none}},
    Variant{"exponential", {.most = 10s, .jitter = retry::Jitter::none}},
    Variant{"equal", {.most = 10s, .jitter = retry::Jitter::equal}},
    Variant{"full (default)", {.most = 10s}},
    Variant{"decorrelated", {.most = 10s, .jitter = retry::Jitter::decorrelated}},
    Variant{"decorrelated_aws_blog", {.most = 10s, .jitter = retry::Jitter::decorrelated_aws_blog}},
    Variant{"plus_minus 20 %", {.most = 10s, .jitter = retry::Jitter::plus_minus}},
};

struct Outcome {
  double peak = 0;   // offered in 100 ms over capacity, after the return
  double calls = 0;  // a client
  double t50 = 0;    // seconds after the return until half are served
  double t99 = 0;
};

Outcome play(const Variant& variant, std::uint64_t seed) {
  Dice dice(seed);
  const retry::Backoff backoff = retry::Backoff::make(variant.options).value();
  struct Client {
    Instant at;
    int failures = 0;
    Duration waited{};
    bool operator<(const Client& other) const { return at > other.at; }
  };
  std::priority_queue<Client> waiting;
  // They notice within ten milliseconds of each other.
  for (std::size_t i = 0; i < clients; ++i) waiting.push({.at = Instant(duration_of_seconds(0.01 * dice.unit()))});
  Outcome out;
  std::vector<double> bins(20'000);
  Instant free = Instant(away);  // when the server has nothing left to do
  std::size_t served = 0;
  const Duration each = duration_of_seconds(1 / capacity);
  while (!waiting.empty()) {
    Client client = waiting.top();
    waiting.pop();
    out.calls += 1.0 / clients;
    if (client.at >= Instant(away)) {
      const auto bin = static_cast<std::size_t>((client.at - Instant(away)) / 100ms);
      if (bin < bins.size()) bins[bin] += 1;
      free = std::max(free, client.at);
      if (free - client.at < queue_limit * each) {
        free += each;
        ++served;
        const double when = seconds_of(free - Instant(away));
        if (served == clients / 2) out.t50 = when;
        if (served == clients * 99 / 100) out.t99 = when;
        continue;
      }
    }
    client.waited = backoff.wait(++client.failures, dice.next(), client.waited);
    client.at += std::max(client.waited, Duration(1ms));  // a refusal takes a moment to be heard
    waiting.push(client);
  }
  for (const double bin : bins) out.peak = std::max(out.peak, bin / (capacity / 10));
  return out;
}

}  // namespace

bool run_reconnect(Table& table, int seeds) {
  double full = 0;
  double exponential = 0;
  for (const Variant& variant : variants) {
    std::vector<double> peaks;
    std::vector<double> calls;
    std::vector<double> t50;
    std::vector<double> t99;
    for (int seed = 1; seed <= seeds; ++seed) {
      const Outcome outcome = play(variant, static_cast<std::uint64_t>(seed) * 15485863);
      peaks.push_back(outcome.peak);
      calls.push_back(outcome.calls);
      t50.push_back(outcome.t50);
      t99.push_back(outcome.t99);
    }
    table.add("reconnect", variant.name, "peak_over_capacity", estimate(peaks));
    table.add("reconnect", variant.name, "calls_per_client", estimate(calls));
    table.add("reconnect", variant.name, "t50_seconds", estimate(t50));
    table.add("reconnect", variant.name, "t99_seconds", estimate(t99));
    if (variant.name == "full (default)") full = estimate(peaks).mean;
    if (variant.name == "exponential") exponential = estimate(peaks).mean;
  }
  return full < 4 && exponential > 50;
}

}  // namespace serin::herd
