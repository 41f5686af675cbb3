// A server that gets slow and does not fail: from second 40 to 70 an answer takes three seconds instead of a tenth, and
// every call succeeds. What is lost is the callers' threads. Who notices?
#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>

#include "scenario.hpp"
#include "serin/breaker/breaker.hpp"
#include "serin/limit/adaptive.hpp"
#include "serin/limit/bulkhead.hpp"

namespace serin::herd {
namespace {

constexpr int clients = 10;
constexpr double arrivals = 700;  // of all together
constexpr Duration slow_from = 40s;
constexpr Duration slow_to = 70s;
constexpr Duration length = 120s;
constexpr double usual = 0.1;  // seconds, mean
constexpr double slow = 3;

enum class Reaction : std::uint8_t { shall_not, shall };
struct Variant {
  std::string_view name;
  std::optional<breaker::BreakerOptions> breaker;
  std::optional<limit::AdaptiveOptions> adaptive;
  std::int64_t bulkhead = 0;
  Reaction expected = Reaction::shall;
};
breaker::BreakerOptions breaking(double slow_rate, Duration slow_call) {
  return {.name = "server",
          .window = breaker::WindowKind::time,
          .length = 10s,
          .slow_rate = slow_rate,
          .slow_call = slow_call};
}
limit::AdaptiveOptions adapting(limit::Algorithm algorithm) { return {.name = "server", .algorithm = algorithm}; }

std::vector<Variant> make_variants() {
  using enum Reaction;
  return {
      {"nothing", {}, {}, 0, shall_not},
      {"breaker, failures only", breaking(1, Duration{}), {}, 0, shall_not},
      {"breaker, half of the calls slower than 1 s", breaking(0.5, 1s), {}, 0, shall},
      {"adaptive limit, AIMD", {}, adapting(limit::Algorithm::aimd), 0, shall},
      {"adaptive limit, Vegas", {}, adapting(limit::Algorithm::vegas), 0, shall},
      {"adaptive limit, Gradient2", {}, adapting(limit::Algorithm::gradient2), 0, shall},
      {"bulkhead of 16", {}, {}, 16, shall},
  };
}

struct Outcome {
  double in_flight = 0;  // most calls at once of all clients, while slow
  double answer = 0;     // seconds: mean until a request that begins while slow knows how it ends
  double served = 0;     // share of the requests that begin while slow and are served
  double after = 0;      // ... of the 20 s after
  double before = 0;     // ... of the 30 s before: what a limit costs when all is well
};

class Simulation {
 public:
  Simulation(const Variant& variant, std::uint64_t seed) : dice_(seed) {
    for (int i = 0; i < clients; ++i) {
      Client& client = clients_.emplace_back();
      if (variant.breaker) client.breaker = breaker::Breaker::make(*variant.breaker).value();
      if (variant.adaptive) client.adaptive = limit::AdaptiveLimit::make(*variant.adaptive).value();
      if (variant.bulkhead > 0)
        client.bulkhead = limit::Bulkhead::make({.name = "server", .most = variant.bulkhead}).value();
    }
  }
  Outcome play() {
    arrive();
    time_.run(Instant(length));
    out_.answer /= during_;
    out_.served /= during_;
    out_.after /= after_;
    out_.before /= before_;
    return out_;
  }

 private:
  struct Client {
    std::unique_ptr<breaker::Breaker> breaker;
    std::unique_ptr<limit::AdaptiveLimit> adaptive;
    std::unique_ptr<limit::Bulkhead> bulkhead;
  };
  /// What a call holds while it is made.
  struct Held {
    std::optional<breaker::Permit> permit;
    std::optional<limit::AdaptivePermit> room;
    std::optional<limit::Place> place;
  };
  [[nodiscard]] bool is_slow() const {
    const Duration now = time_.now().time_since_epoch();
    return now >= slow_from && now < slow_to;
  }

  void arrive() {
    time_.at(time_.now() + duration_of_seconds(dice_.exponential(1 / arrivals)), [this] {
      call(clients_[dice_.next() % clients]);
      arrive();
    });
  }

  void call(Client& client) {
    const Duration now = time_.now().time_since_epoch();
    double* served = nullptr;
    if (is_slow()) {
      during_ += 1;
      served = &out_.served;
    } else if (now >= slow_to && now < slow_to + 20s) {
      after_ += 1;
      served = &out_.after;
    } else if (now >= 10s && now < slow_from) {
      before_ += 1;
      served = &out_.before;
    }
    auto held = std::make_shared<Held>();
    if (client.breaker) {
      auto permit = client.breaker->acquire(time_.now());
      if (!permit) return;
      held->permit.emplace(std::move(*permit));
    }
    if (client.adaptive) {
      auto room = client.adaptive->try_enter();
      if (!room) return;
      held->room.emplace(std::move(*room));
    }
    if (client.bulkhead) {
      auto place = client.bulkhead->try_enter();
      if (!place) return;
      held->place.emplace(std::move(*place));
    }
    in_flight_ += 1;
    if (is_slow()) out_.in_flight = std::max(out_.in_flight, in_flight_);
    const double seconds = (is_slow() ? slow : usual) * (0.5 + dice_.exponential(0.5));
    if (is_slow()) out_.answer += seconds;
    const Duration took = duration_of_seconds(seconds);
    time_.at(time_.now() + took, [this, held, took, served] {
      in_flight_ -= 1;
      if (served != nullptr) *served += 1;
      if (held->permit) held->permit->report(OutcomeClass::success, took, time_.now());
      if (held->room) held->room->report(OutcomeClass::success, took);
    });
  }

  Dice dice_;
  std::vector<Client> clients_;  // before what holds permits of them
  Timeline time_;
  Outcome out_;
  double in_flight_ = 0;
  double during_ = 0;
  double after_ = 0;
  double before_ = 0;
};

}  // namespace

bool run_slow(Report& report, Effort effort) {
  const int seeds = effort == Effort::check ? 2 : 20;
  report.text(fmt::format(
      "## 6. A server that is slow and does not fail\n"
      "700 requests a second from ten clients; for 30 s an answer takes 3 s instead of 0.1 s, and every one is right. "
      "{} calls at once are usual; without a limit 2100 hang on the server. Refusals are answers at once.",
      700 * usual));
  report.head({"", "most calls at once", "mean time of a request, s", "served while slow", "served in the 20 s after",
               "served before"});
  bool as_known = true;
  for (const Variant& variant : make_variants()) {
    const auto outcomes = play_seeds(seeds, [&](std::uint64_t seed) { return Simulation(variant, seed).play(); });
    const Estimate in_flight = over(outcomes, &Outcome::in_flight);
    const Estimate answer = over(outcomes, &Outcome::answer);
    const Estimate served = over(outcomes, &Outcome::served);
    const Estimate after = over(outcomes, &Outcome::after);
    const Estimate before = over(outcomes, &Outcome::before);
    report.add("slow", variant.name, "most_in_flight", in_flight);
    report.add("slow", variant.name, "mean_seconds", answer);
    report.add("slow", variant.name, "served_while_slow", served);
    report.add("slow", variant.name, "served_after", after);
    report.add("slow", variant.name, "served_before", before);
    report.row({std::string(variant.name), cell(in_flight, 0), cell(answer), share(served.mean), share(after.mean),
                share(before.mean)});
    // Without a reaction 2100 hang; whoever reacts keeps at least a quarter of them away, on average over the time.
    if (variant.expected == Reaction::shall_not) as_known = as_known && answer.mean > 2.7;
    if (variant.expected == Reaction::shall) as_known = as_known && answer.mean < 2;
  }
  report.text(
      "- A breaker that counts failures never sees it: it **loses**, there is no failure to count.\n"
      "- The slow-call rate **wins** threads once the first late answers are in; until then as many hang as without "
      "it. "
      "It **loses** most after the server is well again: each failed look at it doubled the time for which the breaker "
      "stays open, up to a minute.\n"
      "- A limit on calls at once holds from the first moment, and is back at once. AIMD holds too, but sees no "
      "failure "
      "and goes on growing. Vegas and Gradient2 stay lower. A fixed bulkhead does best, if somebody knew the number.\n"
      "- All of them refuse most requests meanwhile: a limit saves the callers, not the answers.");
  return as_known;
}

}  // namespace serin::herd
