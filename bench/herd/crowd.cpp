#include "crowd.hpp"

#include <deque>
#include <memory>
#include <optional>

#include "serin/breaker/breaker.hpp"
#include "serin/limit/bulkhead.hpp"
#include "serin/limit/throttle.hpp"
#include "serin/retry/retry.hpp"

namespace serin::herd {
namespace {

std::unique_ptr<retry::Budget> make_budget(BudgetKind kind) {
  switch (kind) {
    case BudgetKind::none: return nullptr;
    case BudgetKind::token: return std::make_unique<retry::TokenBudget>();
    case BudgetKind::in_flight: return std::make_unique<retry::InFlightBudget>();
    case BudgetKind::quota: return std::make_unique<retry::Quota>();
  }
  return nullptr;
}

class Simulation {
 public:
  Simulation(const Setup& setup, std::uint64_t seed)
      : setup_(setup),
        dice_(seed),
        policy_(retry::Retry::make({.max_attempts = setup.attempts, .backoff = setup.backoff}).value()) {
    if (setup.admitted > 0) admission_ = limit::Bulkhead::make({.name = "server", .most = setup.admitted}).value();
    clients_.resize(static_cast<std::size_t>(setup.clients));
    for (Client& client : clients_) {
      client.budget = make_budget(setup.budget);
      if (setup.breaker)
        client.breaker = breaker::Breaker::make(
                             {.name = "server", .window = breaker::WindowKind::time, .length = 10s, .min_calls = 10})
                             .value();
      if (setup.throttle > 0)
        client.throttle = limit::Throttle::make({.name = "server", .factor = setup.throttle, .length = 30s}).value();
    }
  }

  CrowdOutcome play() {
    if (setup_.think > 0) {
      for (std::size_t i = 0; i < clients_.size(); ++i) think(i);
    } else {
      arrive();
    }
    time_.run(Instant(length));
    return judge();
  }

 private:
  struct Client {
    std::unique_ptr<retry::Budget> budget;
    std::unique_ptr<breaker::Breaker> breaker;
    std::unique_ptr<limit::Throttle> throttle;
  };
  struct Request {
    std::size_t client = 0;
    std::size_t second = 0;
    retry::Attempted attempted;
  };
  struct Job {
    Deadline deadline;
    std::function<void()> on_done;
    std::shared_ptr<limit::Place> place;  // of the server's admission; shared with the event of its end
  };

  [[nodiscard]] std::size_t second() const {
    return static_cast<std::size_t>(seconds_of(time_.now().time_since_epoch()));
  }

  void arrive() {
    time_.at(time_.now() + duration_of_seconds(dice_.exponential(1 / setup_.arrivals)), [this] {
      begin(dice_.next() % clients_.size());
      arrive();
    });
  }
  void think(std::size_t client) {
    time_.at(time_.now() + duration_of_seconds(dice_.exponential(setup_.think)), [this, client] { begin(client); });
  }

  void begin(std::size_t client) {
    auto request = std::make_shared<Request>(Request{.client = client, .second = second(), .attempted = {}});
    asked_[request->second] += 1;
    if (clients_[client].budget) clients_[client].budget->on_call();
    attempt(request);
  }

  void attempt(const std::shared_ptr<Request>& request) {
    Client& client = clients_[request->client];
    std::shared_ptr<breaker::Permit> permit;
    if (client.throttle && !client.throttle->enter(time_.now(), dice_.next())) return refused(request);
    if (client.breaker) {
      Result<breaker::Permit> granted = client.breaker->acquire(time_.now());
      if (!granted) return refused(request);
      permit = std::make_shared<breaker::Permit>(std::move(*granted));
    }
    offered_[second()] += 1;
    auto answered = std::make_shared<bool>(false);
    const Instant began = time_.now();
    const auto finish = [this, request, answered, permit, began](OutcomeClass outcome) {
      if (*answered) return;
      *answered = true;
      Client& caller = clients_[request->client];
      if (permit) permit->report(outcome, time_.now() - began, time_.now());
      if (caller.throttle) caller.throttle->report(outcome, time_.now());
      end(request, outcome, false);
    };
    time_.at(began + client_timeout, [finish] { finish(OutcomeClass::timeout); });
    std::shared_ptr<limit::Place> place;
    if (admission_) {
      Result<limit::Place> entered = admission_->try_enter();
      if (!entered) return finish(OutcomeClass::throttled);
      place = std::make_shared<limit::Place>(std::move(*entered));
    }
    if (queue_.size() >= queue_limit) return finish(OutcomeClass::transient);
    queue_.push_back({.deadline = Deadline::after(began, client_timeout),
                      .on_done = [finish] { finish(OutcomeClass::success); },
                      .place = std::move(place)});
    serve();
  }

  void refused(const std::shared_ptr<Request>& request) {
    refusals_ += 1;
    end(request, OutcomeClass::ignored, true);
  }

  void serve() {
    const Duration now = time_.now().time_since_epoch();
    if (now >= stall_from && now < stall_to) {
      if (!waking_) time_.at(Instant(stall_to), [this] { serve(); });
      waking_ = true;
      return;
    }
    while (busy_ < workers && !queue_.empty()) {
      Job job = std::move(queue_.front());
      queue_.pop_front();
      if (setup_.passes_deadline && job.deadline.passed(time_.now())) continue;
      ++busy_;
      time_.at(time_.now() + duration_of_seconds(dice_.exponential(workers / capacity)),
               [this, job = std::move(job)]() mutable {
                 --busy_;
                 job.place.reset();
                 job.on_done();
                 serve();
               });
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
      if (setup_.think > 0) think(request->client);
      return;
    }
    attempted.previous_wait = decision.wait;
    ++attempted.number;
    time_.at(time_.now() + decision.wait, [this, request] { attempt(request); });
  }

  CrowdOutcome judge() {
    CrowdOutcome out;
    const auto at = [](Duration when) { return static_cast<std::size_t>(seconds_of(when)); };
    for (std::size_t i = at(stall_to); i < at(length); ++i) out.peak = std::max(out.peak, offered_[i] / capacity);
    double attempts = 0;
    double requests = 0;
    for (std::size_t i = 0; i < at(length); ++i) {
      attempts += offered_[i];
      requests += asked_[i];
    }
    out.amplification = attempts / requests;
    out.refused = refusals_ / (refusals_ + attempts);
    const auto share_of = [&](std::size_t from, std::size_t to) {
      double good = 0;
      double asked = 0;
      for (std::size_t i = from; i < to; ++i) {
        good += succeeded_[i];
        asked += asked_[i];
      }
      return asked > 0 ? good / asked : 0;
    };
    out.goodput = share_of(at(stall_to), at(stall_to) + 60);
    for (std::size_t i = at(stall_to); i + 5 <= at(length) - 5 && out.recovery < 0; ++i)
      if (share_of(i, i + 5) >= 0.95) out.recovery = static_cast<double>(i) - seconds_of(stall_to);
    out.offered = std::move(offered_);
    return out;
  }

  const Setup& setup_;
  Dice dice_;
  retry::Retry policy_;
  std::unique_ptr<limit::Bulkhead> admission_;
  std::vector<Client> clients_;  // before what holds permits of their breakers
  Timeline time_;
  std::deque<Job> queue_;
  int busy_ = 0;
  bool waking_ = false;
  double refusals_ = 0;
  std::vector<double> offered_ = std::vector<double>(200);
  std::vector<double> asked_ = std::vector<double>(200);
  std::vector<double> succeeded_ = std::vector<double>(200);
};

}  // namespace

CrowdOutcome play_crowd(const Setup& setup, std::uint64_t seed) { return Simulation(setup, seed).play(); }

Recovery recovery_of(const std::vector<CrowdOutcome>& outcomes) {
  std::vector<double> seconds;
  for (const CrowdOutcome& outcome : outcomes)
    if (outcome.recovery >= 0) seconds.push_back(outcome.recovery);
  return {.share = static_cast<double>(seconds.size()) / static_cast<double>(outcomes.size()),
          .seconds = estimate(seconds)};
}

}  // namespace serin::herd
