// What retries do to the load, by how much fails (Brooker, "Fixing retries with token buckets and circuit breakers",
// 2022). The clients run a pipeline of the library as a program would, each on its own simulated clock; the server has
// no limit, it only fails.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>

#include "scenario.hpp"
#include "serin/guard/pipeline.hpp"

namespace serin::herd {
namespace {

enum class Strategy : std::uint8_t { none, retries, bucket, breaker, bucket_and_breaker };
constexpr std::array strategies{Strategy::none, Strategy::retries, Strategy::bucket, Strategy::breaker,
                                Strategy::bucket_and_breaker};
constexpr std::array<std::string_view, 5> names{"no retry", "3 retries", "3 retries + token budget",
                                                "3 retries + breaker", "3 retries + both"};
struct Size {
  std::string_view name;
  int clients;
  int requests;  // of each
};
constexpr Size large{.name = "4 large clients", .clients = 4, .requests = 2500};
constexpr Size small{.name = "1000 small clients", .clients = 1000, .requests = 10};

class OwnTime final : public Sleeper {
 public:
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] WallTime wall() const override { return {}; }
  Status sleep_until(Instant until) override {
    now_ = std::max(now_, until);
    return {};
  }
  Result<bool> wait(Event& event, Instant until) override {
    if (!event.is_set()) now_ = std::max(now_, until);
    return event.is_set();
  }

 private:
  Instant now_{Duration(1h)};
};
class OwnChance final : public Random {
 public:
  explicit OwnChance(std::uint64_t seed) : dice_(seed) {}
  std::uint64_t next() override { return dice_.next(); }

 private:
  Dice dice_;
};

struct Outcome {
  double load = 0;     // attempts at the server, a request
  double success = 0;  // of the requests
};

Outcome play(Strategy strategy, const Size& size, double failing, std::uint64_t seed) {
  OwnChance chance(seed);
  const retry::Retry policy =
      retry::Retry::make({.max_attempts = strategy == Strategy::none ? 1 : 4, .backoff = {.most = 10s}}).value();
  double attempts = 0;
  double succeeded = 0;
  for (int client = 0; client < size.clients; ++client) {
    OwnTime time;
    retry::TokenBudget bucket;
    retry::TokenBudget plenty({.ratio = 1, .most = 1e6});  // never empty: as good as none
    const bool has_bucket = strategy == Strategy::bucket || strategy == Strategy::bucket_and_breaker;
    retry::Budget& budget = has_bucket ? static_cast<retry::Budget&>(bucket) : plenty;
    const auto breaker = breaker::Breaker::make({.name = "server"}).value();
    const guard::Context context{
        .sleeper = time, .random = chance, .deadline = Deadline::never(), .idempotency = Idempotency::idempotent};
    const auto work = [&](const guard::Context&) -> Result<int> {
      attempts += 1;
      static_cast<void>(time.sleep_for(5ms));
      if (chance.unit() < failing) return fail(Errc::unavailable, "as the scenario says");
      return 1;
    };
    const auto plain = guard::pipeline(guard::Retrying{policy, budget});
    const auto broken = guard::pipeline(guard::Retrying{policy, budget}, guard::Breaking{*breaker});
    const bool has_breaker = strategy == Strategy::breaker || strategy == Strategy::bucket_and_breaker;
    for (int request = 0; request < size.requests; ++request) {
      succeeded += (has_breaker ? broken.run(context, work) : plain.run(context, work)) ? 1 : 0;
      static_cast<void>(time.sleep_for(10ms));
    }
  }
  const double requests = static_cast<double>(size.clients) * size.requests;
  return {.load = attempts / requests, .success = succeeded / requests};
}

}  // namespace

bool run_sweep(Report& report, Effort effort) {
  const int seeds = effort == Effort::check ? 1 : 20;
  const std::vector<double> rates =
      effort == Effort::check ? std::vector{0.0, 0.5, 1.0} : std::vector{0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0};
  report.text(
      "## 5. What retries do to the load, by how much fails\n"
      "10,000 requests through the pipeline of the library; the server fails the given share of the attempts, "
      "independently. Each cell: attempts a request, and the share of the requests that succeeded.");
  bool as_known = true;
  for (const Size& size : {large, small}) {
    report.text(fmt::format("{}, {} requests each:", size.name, size.requests));
    std::vector<std::string> head{"failing"};
    for (const std::string_view name : names) head.emplace_back(name);
    report.head(head);
    for (const double rate : rates) {
      std::vector<std::string> cells{share(rate)};
      for (std::size_t i = 0; i < strategies.size(); ++i) {
        const Strategy strategy = strategies.at(i);
        const auto outcomes = play_seeds(seeds, [&](std::uint64_t seed) { return play(strategy, size, rate, seed); });
        const Estimate load = over(outcomes, &Outcome::load);
        const Estimate success = over(outcomes, &Outcome::success);
        const std::string variant = fmt::format("{}; {}; {} failing", size.name, names.at(i), share(rate));
        report.add("sweep", variant, "attempts_per_request", load);
        report.add("sweep", variant, "success", success);
        cells.push_back(fmt::format("{:.2f}, {}", load.mean, share(success.mean)));
        if (rate == 1 && strategy == Strategy::retries) as_known = as_known && load.mean == 4;
        if (size.clients == large.clients && strategy == Strategy::bucket) as_known = as_known && load.mean <= 1.11;
        if (size.clients == large.clients && rate == 1 && strategy == Strategy::bucket_and_breaker)
          as_known = as_known && load.mean <= 1.11;
      }
      report.row(cells);
    }
  }
  report.text(
      "- Retries alone multiply the load by four when everything fails. The budget of 0.1 keeps it at 1.1 for clients "
      "that ask often. It **loses** success at partial failure: at 50 % failing, three unbounded retries hide most of "
      "it and the budget hides little.\n"
      "- The budget **loses** its bound with clients that make ten requests each: everyone starts with ten tokens and "
      "spends them. One budget for all calls of a process to one target is what bounds it.\n"
      "- The breaker keeps the load lowest when all fails, and **loses** most at partial failure: above its threshold "
      "it refuses requests that would have worked. With ten requests a client it can judge only after twenty attempts, "
      "which is also when the bucket is empty: both come too late for small clients.");
  return as_known;
}

}  // namespace serin::herd
