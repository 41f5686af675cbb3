#pragma once
#include <atomic>
#include <cstdint>

#include "serin/base/checked.hpp"
#include "serin/base/error.hpp"

namespace serin::retry {

/// What a retry asks before it is made. One object for all calls to one target, shared by retries and hedges: backoff
/// spreads load, only a budget bounds it. Threads: any; counts are exact.
class Budget {
 public:
  virtual ~Budget() = default;
  /// A call begins (its first attempt).
  void on_call() noexcept {
    if (hears_ != Hears::ends && !is_full()) call_began();
  }
  /// May one more attempt be made? Yes takes what it costs.
  /// \param after_timeout  the attempt before it timed out: dearer where the budget says so
  [[nodiscard]] virtual bool try_retry(bool after_timeout) noexcept = 0;
  /// The extra attempt that try_retry() allowed ended.
  virtual void on_retry_end(bool succeeded) noexcept = 0;
  /// The call ended.
  void on_call_end(bool succeeded_at_once) noexcept {
    if (hears_ != Hears::begins && !is_full()) call_ended(succeeded_at_once);
  }
  /// How much is left, 0 to 1: for people.
  [[nodiscard]] virtual double left() const noexcept = 0;

 protected:
  /// Which half of a call changes it. Every call asks here, nearly all of them of a budget that is full.
  enum class Hears : std::uint8_t { begins, ends, both };
  Budget(Hears hears, std::int64_t tokens, std::int64_t most) noexcept : tokens_(tokens), most_(most), hears_(hears) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;
  virtual void call_began() noexcept {}
  virtual void call_ended(bool /*succeeded_at_once*/) noexcept {}

  std::atomic<std::int64_t> tokens_;
  const std::int64_t most_;  // full budgets hear of no calls

 private:
  [[nodiscard]] bool is_full() const noexcept { return tokens_.load(std::memory_order_relaxed) >= most_; }
  const Hears hears_;
};

/// One call, as its budget counts it: from its beginning to its end, however it ends. Threads: one.
class CountedCall {
 public:
  /// \param budget  outlives it; null for none
  explicit CountedCall(Budget* budget) noexcept : budget_(budget) {
    if (budget_ != nullptr) budget_->on_call();
  }
  CountedCall(const CountedCall&) = delete;
  CountedCall& operator=(const CountedCall&) = delete;
  ~CountedCall() {
    if (budget_ != nullptr) budget_->on_call_end(succeeded_at_once_);
  }
  void succeeded_at_once() noexcept { succeeded_at_once_ = true; }
  [[nodiscard]] Budget* budget() const noexcept { return budget_; }

 private:
  Budget* budget_;
  bool succeeded_at_once_ = false;
};

struct TokenBudgetOptions {
  double ratio = 0.1;  ///< retries a call in the long run; 0 < ratio <= 1
  double most = 10;    ///< tokens that may be saved up, and that it starts with; 1 to 1e6
};
constexpr Wrongs wrongs(const TokenBudgetOptions& options) {
  Wrongs out;
  out.unless(options.ratio >= 1e-6 && options.ratio <= 1, "ratio", "must be from 1e-06 to 1", options.ratio);
  out.unless(options.most >= 1 && options.most <= 1e6, "most", "must be from 1 to 1000000", options.most);
  return out;
}
/// A bucket: each call puts `ratio` tokens in, each retry takes one. At 100 % failures the load is at most 1 + ratio
/// times the calls. The default; small on purpose, because every client has one (Brooker, "Fixing retries with token
/// buckets").
class TokenBudget final : public Budget {
 public:
  /// Errors: invalid_argument.
  static Status check(const TokenBudgetOptions& options);
  /// \param options  pass check()
  explicit TokenBudget(TokenBudgetOptions options = {});
  bool try_retry(bool after_timeout) noexcept override;
  void on_retry_end(bool) noexcept override {}
  double left() const noexcept override;

 private:
  void call_began() noexcept override;
  std::int64_t deposit_;  // like all its tokens in millionths, so that sums are exact
};

struct InFlightBudgetOptions {
  double ratio = 0.2;            ///< retries in flight over calls in flight; 0 < ratio <= 1
  std::int64_t min_retries = 3;  ///< that may always be in flight; >= 0
};
constexpr Wrongs wrongs(const InFlightBudgetOptions& options) {
  Wrongs out;
  out.unless(options.ratio >= 1e-6 && options.ratio <= 1, "ratio", "must be from 1e-06 to 1", options.ratio);
  out.unless(options.min_retries >= 0 && options.min_retries <= 1'000'000'000, "min_retries",
             "must be from 0 to 1000000000", options.min_retries);
  return out;
}
/// At most max(min_retries, ratio x calls in flight) retries at the same time (Envoy's rule, without its race).
class InFlightBudget final : public Budget {
 public:
  static Status check(const InFlightBudgetOptions& options);
  explicit InFlightBudget(InFlightBudgetOptions options = {});
  bool try_retry(bool after_timeout) noexcept override;
  void on_retry_end(bool) noexcept override { retries_.fetch_sub(1, std::memory_order_relaxed); }
  double left() const noexcept override;

 private:
  void call_began() noexcept override { calls_.fetch_add(1, std::memory_order_relaxed); }
  void call_ended(bool) noexcept override { calls_.fetch_sub(1, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t limit() const noexcept;
  InFlightBudgetOptions options_;
  std::atomic<std::int64_t> calls_{0};
  std::atomic<std::int64_t> retries_{0};
};

struct QuotaOptions {
  std::int64_t most = 500;            ///< tokens; >= 1
  std::int64_t cost = 5;              ///< of a retry; >= 1
  std::int64_t cost_of_timeout = 10;  ///< of a retry after a timeout; >= 1
};
constexpr Wrongs wrongs(const QuotaOptions& options) {
  Wrongs out;
  out.unless(options.most >= 1 && options.most <= 1'000'000'000, "most", "must be from 1 to 1000000000", options.most);
  out.unless(options.cost >= 1 && options.cost <= options.most, "cost", "must be from 1 to most", options.cost);
  out.unless(options.cost_of_timeout >= 1 && options.cost_of_timeout <= options.most, "cost_of_timeout",
             "must be from 1 to most", options.cost_of_timeout);
  return out;
}
/// The quota of the AWS SDKs: a retry takes its cost, one that succeeds gives it back, a call that succeeds at once
/// puts one token in.
class Quota final : public Budget {
 public:
  static Status check(const QuotaOptions& options);
  explicit Quota(QuotaOptions options = {});
  bool try_retry(bool after_timeout) noexcept override;
  void on_retry_end(bool succeeded) noexcept override;
  double left() const noexcept override;

 private:
  void call_ended(bool succeeded_at_once) noexcept override;
  void put(std::int64_t tokens) noexcept;
  QuotaOptions options_;
};

}  // namespace serin::retry
