// An open loop meets a server that stalls: 700 requests a second for a server that can do 1000, which stands still from
// second 40 to 50. Clients give up after a second, the server goes on working for those who are gone. Retries alone
// keep it down for ever; the question is what ends that.
#include <fmt/format.h>

#include <array>
#include <deque>
#include <memory>
#include <optional>

#include "scenario.hpp"
#include "serin/breaker/breaker.hpp"
#include "serin/retry/retry.hpp"

namespace serin::herd {
namespace {

constexpr double arrivals = 700;   // a second
constexpr double capacity = 1000;  // a second
constexpr int workers = 100;
constexpr std::size_t queue_limit = 2000;
constexpr int client_count = 200;
constexpr Duration timeout = 1s;
constexpr Duration stall_from = 40s;
constexpr Duration stall_to = 50s;
constexpr Duration length = 180s;

enum class Protection { none, token_budget, in_flight_budget, quota, breaker, token_budget_and_breaker };

struct Variant {
  std::string_view name;
  int attempts;
  retry::Jitter jitter;
  Protection protection;
  bool must_recover;
};
const std::array variants{
    Variant{"no retry", 1, retry::Jitter::full, Protection::none, true},
    Variant{"4 attempts, exponential", 4, retry::Jitter::none, Protection::none, false},
    Variant{"4 attempts, full", 4, retry::Jitter::full, Protection::none, false},
    Variant{"4 attempts, decorrelated", 4, retry::Jitter::decorrelated, Protection::none, false},
    Variant{"full + token budget (default)", 4, retry::Jitter::full, Protection::token_budget, true},
    Variant{"full + in-flight budget", 4, retry::Jitter::full, Protection::in_flight_budget, false},
    Variant{"full + AWS quota", 4, retry::Jitter::full, Protection::quota, true},
    Variant{"full + breaker", 4, retry::Jitter::full, Protection::breaker, true},
    Variant{"full + token budget + breaker", 4, retry::Jitter::full, Protection::token_budget_and_breaker, true},
};

struct Outcome {
  double peak = 0;           // offered in a second over capacity, after the stall
  double recovery = -1;      // seconds after the stall's end until 95 % of the requests of 5 s succeed; -1: never
  double goodput = 0;        // share of the requests of the 60 s after the stall that succeeded
  double amplification = 0;  // attempts a request
};

class Simulation {
 public:
  Simulation(const Variant& variant, std::uint64_t seed) : dice_(seed), policy_(make_policy(variant)) {
    for (int i = 0; i < client_count; ++i) {
      Client& client = clients_.emplace_back();
      if (variant.protection == Protection::token_budget || variant.protection == Protection::token_budget_and_breaker)
        client.budget = std::make_unique<retry::TokenBudget>();
      if (variant.protection == Protection::in_flight_budget) client.budget = std::make_unique<retry::InFlightBudget>();
      if (variant.protection == Protection::quota) client.budget = std::make_unique<retry::Quota>();
      if (variant.protection == Protection::breaker || variant.protection == Protection::token_budget_and_breaker)
        client.breaker = breaker::Breaker::make(
                             {.name = "server", .window = breaker::WindowKind::time, .length = 10s, .min_calls = 10})
                             .value();
    }
  }

  Outcome play() {
    arrive();
    time_.run(Instant(length));
    Outcome out;
    const auto second = [](Duration at) { return static_cast<std::size_t>(seconds_of(at)); };
    for (std::size_t i = second(stall_to); i < offered_.size(); ++i)
      out.peak = std::max(out.peak, offered_[i] / capacity);
    double attempts = 0;
    double requests = 0;
    for (std::size_t i = 0; i < offered_.size(); ++i) {
      attempts += offered_[i];
      requests += asked_[i];
    }
    out.amplification = attempts / requests;
    double good = 0;
    double asked = 0;
    for (std::size_t i = second(stall_to); i < second(stall_to) + 60; ++i) {
      good += succeeded_[i];
      asked += asked_[i];
    }
    out.goodput = good / asked;
    for (std::size_t i = second(stall_to); i + 5 <= second(length) - 5 && out.recovery < 0; ++i) {
      double in = 0;
      double done = 0;
      for (std::size_t j = i; j < i + 5; ++j) {
        in += asked_[j];
        done += succeeded_[j];
      }
      if (done >= 0.95 * in) out.recovery = static_cast<double>(i) - seconds_of(stall_to);
    }
    return out;
  }

  [[nodiscard]] const std::vector<double>& offered() const { return offered_; }

 private:
  struct Client {
    std::unique_ptr<retry::Budget> budget;
    std::unique_ptr<breaker::Breaker> breaker;
  };
  struct Request {
    std::size_t client = 0;
    std::size_t second = 0;
    retry::Attempted attempted;
    bool first_try_counted = false;
  };
  struct InQueue {
    std::shared_ptr<bool> answered;  // shared by the client's timer and the server, whichever comes first
    std::function<void()> on_done;
  };

  static retry::Retry make_policy(const Variant& variant) {
    return retry::Retry::make(
               {.max_attempts = variant.attempts, .backoff = {.first = 100ms, .most = 10s, .jitter = variant.jitter}})
        .value();
  }
  [[nodiscard]] std::size_t second() const {
    return static_cast<std::size_t>(seconds_of(time_.now().time_since_epoch()));
  }

  void arrive() {
    time_.at(time_.now() + duration_of_seconds(dice_.exponential(1 / arrivals)), [this] {
      auto request = std::make_shared<Request>(
          Request{.client = dice_.next() % client_count, .second = second(), .attempted = {}});
      asked_[request->second] += 1;
      if (clients_[request->client].budget) clients_[request->client].budget->on_call();
      attempt(request);
      arrive();
    });
  }

  void attempt(const std::shared_ptr<Request>& request) {
    Client& client = clients_[request->client];
    std::shared_ptr<breaker::Permit> permit;
    if (client.breaker) {
      Result<breaker::Permit> granted = client.breaker->acquire(time_.now());
      if (!granted) return end(request, OutcomeClass::ignored, true);
      permit = std::make_shared<breaker::Permit>(std::move(*granted));
    }
    offered_[second()] += 1;
    auto answered = std::make_shared<bool>(false);
    const Instant began = time_.now();
    const auto finish = [this, request, answered, permit, began](OutcomeClass outcome) {
      if (*answered) return;
      *answered = true;
      if (permit) permit->report(outcome, time_.now() - began, time_.now());
      end(request, outcome, false);
    };
    time_.at(began + timeout, [finish] { finish(OutcomeClass::timeout); });
    if (queue_.size() >= queue_limit) return finish(OutcomeClass::transient);
    queue_.push_back({.answered = answered, .on_done = [finish] { finish(OutcomeClass::success); }});
    serve();
  }

  void serve() {
    const Duration now = time_.now().time_since_epoch();
    if (now >= stall_from && now < stall_to) {
      if (!waking_) time_.at(Instant(stall_to), [this] { serve(); });
      waking_ = true;
      return;
    }
    while (busy_ < workers && !queue_.empty()) {
      ++busy_;
      time_.at(time_.now() + duration_of_seconds(dice_.exponential(workers / capacity)),
               [this, job = std::move(queue_.front())] {
                 --busy_;
                 job.on_done();
                 serve();
               });
      queue_.pop_front();
    }
  }

  void end(const std::shared_ptr<Request>& request, OutcomeClass outcome, bool not_executed) {
    Client& client = clients_[request->client];
    retry::Attempted& attempted = request->attempted;
    const bool succeeded = outcome == OutcomeClass::success;
    if (client.budget && attempted.number > 1) client.budget->on_retry_end(succeeded);
    if (succeeded) succeeded_[request->second] += 1;
    attempted.outcome = outcome;
    attempted.surely_not_executed = not_executed;
    const retry::Decision decision =
        retry::decide(policy_, attempted, Idempotency::idempotent, time_.now(), Deadline::never(), dice_.next());
    if (decision.stop != retry::Stop::no ||
        (client.budget && !client.budget->try_retry(outcome == OutcomeClass::timeout))) {
      if (client.budget) client.budget->on_call_end(succeeded && attempted.number == 1);
      return;
    }
    attempted.previous_wait = decision.wait;
    ++attempted.number;
    time_.at(time_.now() + decision.wait, [this, request] { attempt(request); });
  }

  Dice dice_;
  retry::Retry policy_;
  std::vector<Client> clients_;  // before what holds permits of their breakers
  Timeline time_;
  std::deque<InQueue> queue_;
  int busy_ = 0;
  bool waking_ = false;
  std::vector<double> offered_ = std::vector<double>(200);    // attempts that reached the server, by second
  std::vector<double> asked_ = std::vector<double>(200);      // requests, by the second in which they came
  std::vector<double> succeeded_ = std::vector<double>(200);  // of these
};

}  // namespace

bool run_overload(Table& table, int seeds) {
  bool as_known = true;
  for (const Variant& variant : variants) {
    std::vector<double> peaks;
    std::vector<double> goodputs;
    std::vector<double> amplifications;
    std::vector<double> recoveries;
    for (int seed = 1; seed <= seeds; ++seed) {
      const Outcome outcome = Simulation(variant, static_cast<std::uint64_t>(seed) * 104729).play();
      peaks.push_back(outcome.peak);
      goodputs.push_back(outcome.goodput);
      amplifications.push_back(outcome.amplification);
      if (outcome.recovery >= 0) recoveries.push_back(outcome.recovery);
    }
    table.add("overload", variant.name, "peak_over_capacity", estimate(peaks));
    table.add("overload", variant.name, "goodput_60s", estimate(goodputs));
    table.add("overload", variant.name, "attempts_per_request", estimate(amplifications));
    table.add("overload", variant.name, "recovered_of_seeds",
              {.mean = static_cast<double>(recoveries.size()) / seeds, .margin = 0});
    if (recoveries.size() > 1) table.add("overload", variant.name, "recovery_seconds", estimate(recoveries));
    const bool all = static_cast<int>(recoveries.size()) == seeds;
    if (variant.must_recover) as_known = as_known && all;
    // Plain retries must stay down: a simulation in which they do not has lost what it is about.
    if (variant.protection == Protection::none && variant.attempts > 1) as_known = as_known && recoveries.empty();
    if (variant.protection == Protection::token_budget) as_known = as_known && estimate(peaks).mean <= 1.1;
  }
  return as_known;
}

std::string draw_overload() {
  constexpr double width = 900;
  constexpr double height = 420;
  constexpr double left = 60;
  constexpr double bottom = 370;
  constexpr double seconds = 180;
  constexpr double most = 4500;  // attempts a second at the top
  const auto x = [&](double second) { return left + second / seconds * (width - left - 20); };
  const auto y = [&](double attempts) { return bottom - std::min(attempts, most) / most * (bottom - 20); };
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' font-family='sans-serif' font-size='13'>"
      "<rect width='100%' height='100%' fill='white'/>"
      "<rect x='{}' y='20' width='{}' height='{}' fill='#eee'/><text x='{}' y='34'>server stands still</text>"
      "<line x1='{}' x2='{}' y1='{}' y2='{}' stroke='#888' stroke-dasharray='6 4'/><text x='{}' y='{}'>capacity</text>",
      width, height, x(40), x(50) - x(40), bottom - 20, x(51), left, width - 20, y(capacity), y(capacity), width - 80,
      y(capacity) - 5);
  for (int attempts = 0; attempts <= 4000; attempts += 1000)
    svg += fmt::format("<text x='{}' y='{}' text-anchor='end'>{}</text>", left - 8, y(attempts) + 4, attempts);
  for (int second = 0; second <= 180; second += 30)
    svg += fmt::format("<text x='{}' y='{}' text-anchor='middle'>{} s</text>", x(second), bottom + 20, second);
  svg += fmt::format("<text x='{}' y='{}'>attempts that reach the server in a second</text>", left, height - 8);
  struct Line {
    std::string_view variant;
    std::string_view colour;
  };
  double legend = 52;
  for (const Line& line : {Line{"4 attempts, full", "#c62a2f"}, Line{"full + AWS quota", "#ad5700"},
                           Line{"full + token budget (default)", "#18794e"}})
    for (const Variant& variant : variants) {
      if (variant.name != line.variant) continue;
      Simulation simulation(variant, 104729);
      static_cast<void>(simulation.play());
      std::string points;
      for (std::size_t second = 0; second < 180; ++second)
        points += fmt::format("{:.1f},{:.1f} ", x(static_cast<double>(second)), y(simulation.offered()[second]));
      svg += fmt::format("<polyline fill='none' stroke='{}' stroke-width='2' points='{}'/>", line.colour, points);
      svg += fmt::format("<text x='{}' y='{}' fill='{}'>{}</text>", x(100), legend, line.colour, line.variant);
      legend += 18;
    }
  return svg + "</svg>\n";
}

}  // namespace serin::herd
