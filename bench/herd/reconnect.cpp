// Ten thousand clients lose their server at the same moment. When it is back it serves a thousand a second, lets a
// hundred wait and refuses the rest; everybody tries again until it is served. Ten seconds would be ideal. Then the
// same with a server that says when to come back.
#include <fmt/format.h>

#include <array>
#include <queue>

#include "scenario.hpp"
#include "serin/retry/retry.hpp"

namespace serin::herd {
namespace {

constexpr std::size_t clients = 10'000;
constexpr double capacity = 1000;
constexpr int queue_limit = 100;

struct Play {
  retry::Retry policy;
  Duration away;
  std::optional<Duration> retry_after = {};  // said with every refusal of a server that is there
};

struct Outcome {
  double peak = 0;   // retries in 100 ms over capacity, after the return
  double calls = 0;  // a client
  double t50 = 0;    // seconds after the return until half are served
  double t99 = 0;
  double t100 = 0;
  double early = 0;  // calls sooner than they were told
};

struct Client {
  Instant at;
  retry::Attempted attempted;
  bool operator<(const Client& other) const { return at > other.at; }
};

Outcome play(const Play& setup, std::uint64_t seed) {
  Dice dice(seed);
  std::priority_queue<Client> waiting;
  // They notice within ten milliseconds of each other.
  for (std::size_t i = 0; i < clients; ++i)
    waiting.push({.at = Instant(duration_of_seconds(0.01 * dice.unit())), .attempted = {}});
  Outcome out;
  std::vector<double> bins(20'000);
  Instant free = Instant(setup.away);  // when the server has nothing left to do
  std::size_t served = 0;
  const Duration each = duration_of_seconds(1 / capacity);
  while (!waiting.empty()) {
    Client client = waiting.top();
    waiting.pop();
    out.calls += 1.0 / clients;
    client.attempted.retry_after.reset();
    if (client.at >= Instant(setup.away)) {
      const auto bin = static_cast<std::size_t>((client.at - Instant(setup.away)) / 100ms);
      if (bin < bins.size() && client.attempted.number > 1) bins[bin] += 1;
      free = std::max(free, client.at);
      if (free - client.at < queue_limit * each) {
        free += each;
        ++served;
        const double when = seconds_of(free - Instant(setup.away));
        if (served == clients / 2) out.t50 = when;
        if (served == clients * 99 / 100) out.t99 = when;
        if (served == clients) out.t100 = when;
        continue;
      }
      client.attempted.retry_after = setup.retry_after;
    }
    client.attempted.outcome = OutcomeClass::throttled;
    const retry::Decision decision = retry::decide(setup.policy, client.attempted, Idempotency::idempotent, client.at,
                                                   Deadline::never(), dice.next());
    if (decision.stop != retry::Stop::no) break;  // 1000 attempts: the figures show that not everybody was served
    if (client.attempted.retry_after && decision.wait < *client.attempted.retry_after) out.early += 1;
    client.attempted.previous_wait = decision.wait;
    ++client.attempted.number;
    client.at += std::max(decision.wait, Duration(1ms));  // a refusal takes a moment to be heard
    waiting.push(client);
  }
  for (const double bin : bins) out.peak = std::max(out.peak, bin / (capacity / 10));
  return out;
}

retry::Retry for_ever(retry::BackoffOptions backoff, double spread = 0.5) {
  return retry::Retry::make({.max_attempts = 1000, .backoff = std::move(backoff), .retry_after_spread = spread})
      .value();
}

struct Jitters {
  std::string_view name;
  retry::BackoffOptions options;
};

Outcome means(Report& report, std::string_view scenario, std::string_view variant,
              const std::vector<Outcome>& outcomes) {
  const auto add = [&](std::string_view figure, double Outcome::*member) {
    const Estimate value = over(outcomes, member);
    report.add(scenario, variant, figure, value);
    return value.mean;
  };
  return {.peak = add("peak_over_capacity", &Outcome::peak),
          .calls = add("calls_per_client", &Outcome::calls),
          .t50 = add("t50_seconds", &Outcome::t50),
          .t99 = add("t99_seconds", &Outcome::t99),
          .t100 = add("t100_seconds", &Outcome::t100)};
}

void row(Report& report, std::string_view name, const std::vector<Outcome>& outcomes) {
  report.row({std::string(name), cell(over(outcomes, &Outcome::peak)), cell(over(outcomes, &Outcome::calls), 1),
              cell(over(outcomes, &Outcome::t50), 1), cell(over(outcomes, &Outcome::t99), 1),
              cell(over(outcomes, &Outcome::t100), 1)});
}

}  // namespace

bool run_reconnect(Report& report, Effort effort) {
  const int seeds = effort == Effort::check ? 1 : 20;
  const std::array jitters{
      Jitters{"fixed 1 s", {.shape = retry::Shape::constant, .first = 1s, .most = 1s, .jitter = retry::Jitter::none}},
      Jitters{"fixed 1 s +- 50 %",
              {.shape = retry::Shape::constant,
               .first = 1s,
               .most = 1500ms,
               .jitter = retry::Jitter::plus_minus,
               .plus_minus = 0.5}},
      Jitters{"exponential, no jitter", {.most = 10s, .jitter = retry::Jitter::none}},
      Jitters{"equal", {.most = 10s, .jitter = retry::Jitter::equal}},
      Jitters{"full (default)", {.most = 10s}},
      Jitters{"decorrelated", {.most = 10s, .jitter = retry::Jitter::decorrelated}},
      Jitters{"decorrelated_aws_blog", {.most = 10s, .jitter = retry::Jitter::decorrelated_aws_blog}},
      Jitters{"exponential +- 20 %", {.most = 10s, .jitter = retry::Jitter::plus_minus}},
  };
  bool as_known = true;
  report.text(
      "## 7. Ten thousand clients lose their server\n"
      "Capacity 1000 a second, 100 may wait, the rest is refused and tries again; waits from 100 ms to 10 s. Ten "
      "seconds after the return would be ideal.");
  for (const Duration away : {Duration(5s), Duration(60s)}) {
    const std::string scenario = fmt::format("reconnect {:.0f} s", seconds_of(away));
    report.text(fmt::format("Away for {:.0f} s:", seconds_of(away)));
    report.head({"", "peak / capacity", "calls a client", "half served, s", "99 %, s", "all, s"});
    for (const Jitters& jitter : jitters) {
      const auto outcomes = play_seeds(
          seeds, [&](std::uint64_t seed) { return play({.policy = for_ever(jitter.options), .away = away}, seed); });
      const Outcome mean = means(report, scenario, jitter.name, outcomes);
      row(report, jitter.name, outcomes);
      if (jitter.name == "full (default)") as_known = as_known && mean.peak < 4 && mean.t99 < 20;
      if (jitter.name == "exponential, no jitter") as_known = as_known && mean.peak > 50;
    }
  }
  report.text(
      "Exponential without jitter is worse than a fixed interval. Full jitter **wins** the peak after the short "
      "outage; it "
      "**loses** a few calls to equal and plus-minus there, and the tail to a fixed second with jitter, which pays "
      "with "
      "more than three times the peak and, after a long outage, three times the calls. After the long one it **loses** "
      "the peak to equal, at the same tail, and calls to both. Decorrelated is nowhere the best in both.");
  return as_known;
}

bool run_retry_after(Report& report, Effort effort) {
  const int seeds = effort == Effort::check ? 1 : 20;
  report.text(
      "## 8. Retry-After: the same instant for everybody, or spread\n"
      "The same crowd, and the server is there, but all ten thousand come within 10 ms; every refusal says \"in 5 "
      "seconds\". The library never comes earlier, and spreads upwards: 0.5, the default, makes it 5 to 7.5 s. The "
      "peak is "
      "that of the retries.");
  report.head({"spread", "peak / capacity", "calls a client", "half served, s", "99 %, s", "all, s"});
  bool as_known = true;
  Outcome together;
  for (const double spread : {0.0, 0.5, 1.0, 2.0}) {
    const auto outcomes = play_seeds(seeds, [&](std::uint64_t seed) {
      return play({.policy = for_ever({.most = 10s}, spread), .away = 0s, .retry_after = 5s}, seed);
    });
    const std::string name = fmt::format("{}{}", spread, spread == 0.5 ? " (default)" : "");
    const Outcome mean = means(report, "retry_after", name, outcomes);
    row(report, name, outcomes);
    for (const Outcome& outcome : outcomes) as_known = as_known && outcome.early == 0;
    if (spread == 0) together = mean;
    if (spread == 0.5) as_known = as_known && mean.peak < together.peak / 5 && mean.t99 < together.t99 / 2;
  }
  report.text(
      "One moment for everybody keeps those together who were refused together: each time the queue takes a hundred, "
      "and "
      "ten thousand come again. Any spread **wins** over that. The default **loses** to a wider one with a crowd like "
      "this: ten thousand need ten seconds, and it spreads them over two and a half.");
  return as_known;
}

}  // namespace serin::herd
