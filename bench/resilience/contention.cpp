// Several threads on one object, and on one each; and whether what is counted stays exact meanwhile.
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "cases.hpp"
#include "serin/breaker/breaker.hpp"
#include "serin/limit/rate.hpp"
#include "serin/retry/budget.hpp"

namespace serin::resilience {
namespace {

constexpr std::array counts{1, 2, 4};
const Instant moment{Duration(1h)};

/// Starts them together; returns when all have ended.
void together(int threads, const std::function<void(int)>& work) {
  std::atomic<int> ready = 0;
  std::vector<std::jthread> all;
  for (int i = 0; i < threads; ++i)
    all.emplace_back([&, i] {
      ++ready;
      while (ready.load() < threads) std::this_thread::yield();
      work(i);
    });
}

struct Breakers {
  std::unique_ptr<breaker::Breaker> one = breaker::Breaker::make({.name = "db"}).value();
  void call() const {
    auto permit = one->acquire_if_closed();
    if (!permit->report_if_unchanged(OutcomeClass::success)) permit->report(OutcomeClass::success, 1ms, moment);
  }
};
struct Buckets {
  std::unique_ptr<limit::RateLimit> one = limit::RateLimit::make({.name = "db", .rate = 1, .burst = 1e6}).value();
  void call() const { keep(one->take(moment)); }
};
struct Budgets {
  std::unique_ptr<retry::TokenBudget> one = std::make_unique<retry::TokenBudget>();
  void call() const {
    one->on_call();
    keep(one->try_retry(false));
  }
};

template <class Object>
void time(Contention& out, const std::string& what, const Plan& plan, const Clock& clock) {
  for (const int threads : counts)
    for (const bool shared : {true, false}) {
      std::vector<double> rates;
      for (int repetition = 0; repetition < plan.repetitions; ++repetition) {
        const std::vector<Object> objects(static_cast<std::size_t>(threads));
        constexpr int calls = 100'000;
        const Instant began = clock.now();
        together(threads, [&](int i) {
          const Object& mine = objects[shared ? 0 : static_cast<std::size_t>(i)];
          for (int call = 0; call < calls; ++call) mine.call();
        });
        rates.push_back(static_cast<double>(threads) * calls / seconds_of(clock.now() - began));
      }
      out.timed.push_back(
          {.what = what, .threads = threads, .shared = shared, .calls_a_second = timing_of(rates).median});
    }
}

/// Every thread asks `asks` times; yes is counted.
std::int64_t granted(int threads, int asks, const std::function<bool()>& ask) {
  std::atomic<std::int64_t> yes = 0;
  together(threads, [&](int) {
    std::int64_t mine = 0;
    for (int i = 0; i < asks; ++i) mine += ask() ? 1 : 0;
    yes += mine;
  });
  return yes;
}

void check(Contention& out) {
  for (const int threads : counts) {
    const auto rate = limit::RateLimit::make({.name = "db", .rate = 1, .burst = 50'000}).value();
    out.exact.push_back({.what = "rate limit, a burst of 50,000",
                         .threads = threads,
                         .granted = granted(threads, 60'000, [&] { return !rate->take(moment); }),
                         .expected = 50'000});
    retry::TokenBudget budget({.ratio = 0.1, .most = 50'000});
    out.exact.push_back({.what = "token budget, 50,000 tokens",
                         .threads = threads,
                         .granted = granted(threads, 60'000, [&] { return budget.try_retry(false); }),
                         .expected = 50'000});
    const auto breaker =
        breaker::Breaker::make({.name = "db", .min_calls = 20, .half_open_calls = 100, .half_open_lease = 1h}).value();
    for (int i = 0; i < 20; ++i) breaker->acquire(moment)->report(OutcomeClass::transient, 1ms, moment);
    const Instant later = moment + 10s;
    std::vector<std::vector<breaker::Permit>> held(static_cast<std::size_t>(threads));
    together(threads, [&](int i) {
      for (int ask = 0; ask < 10'000; ++ask)
        if (auto permit = breaker->acquire(later)) held[static_cast<std::size_t>(i)].push_back(std::move(*permit));
    });
    std::int64_t probes = 0;
    for (const auto& mine : held) probes += static_cast<std::int64_t>(mine.size());
    out.exact.push_back(
        {.what = "half-open breaker, 100 permits", .threads = threads, .granted = probes, .expected = 100});
  }
}

}  // namespace

Contention measure_contention(const Plan& plan, const Clock& clock) {
  Contention out;
  time<Breakers>(out, "breaker, a success behind a healthy one", plan, clock);
  time<Buckets>(out, "rate limit, take", plan, clock);
  time<Budgets>(out, "token budget, deposit and withdraw", plan, clock);
  check(out);
  return out;
}

}  // namespace serin::resilience
