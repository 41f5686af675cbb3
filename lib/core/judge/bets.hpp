#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace serin::judge {

/// log(sum of exp) without overflow; -infinity for nothing. Pure.
[[nodiscard]] inline double log_sum_exp(std::span<const double> logs) noexcept {
  double most = -std::numeric_limits<double>::infinity();
  for (const double log : logs) most = std::max(most, log);
  if (!std::isfinite(most)) return most;
  double sum = 0;
  for (const double log : logs) sum += std::exp(log - most);
  return most + std::log(sum);
}

/// How the weight of a mixture of bets is laid.
struct Stakes {
  std::int64_t starts = 1;  ///< 1: everything from the first bucket on; more: half of it in so many equal parts
  std::int64_t every = 1;   ///< buckets between two starts
};

/// The wealth of `Count` bets under equal weights: half of the money is bet from the start; the other half is laid in
/// equal parts as time goes on, so that a late onset does not have to pay back what went well before. What is not laid
/// yet counts as it is. Each factor has an expectation of at most 1 under the null, so the sum is a nonnegative
/// supermartingale that starts at 1. Threads: one; pure.
/// Source: S_k <- (S_k + w_t/K) exp l_t(k), E = sum S_k + what was not laid; Shiryaev-Roberts in e-process form.
template <std::size_t Count>
class Bets {
 public:
  using Gains = std::array<double, Count>;

  explicit Bets(const Stakes& stakes) : stakes_(stakes) {
    steady_.fill(-std::log(static_cast<double>(Count)));
    part_ = -std::log(static_cast<double>(std::max<std::int64_t>(1, stakes.starts)) * static_cast<double>(Count));
    late_.fill(-std::numeric_limits<double>::infinity());
    lay();
  }

  /// Multiplies every bet by exp(gain): what the bucket says under its alternative against the null.
  void add(const Gains& gains) noexcept {
    // A part is laid before its bucket is known, so that it never knows the outcome that it bets on.
    if (buckets_ > 0 && buckets_ % stakes_.every == 0) lay();
    ++buckets_;
    for (std::size_t k = 0; k < Count; ++k) steady_[k] += gains[k];
    if (stakes_.starts > 1)
      for (std::size_t k = 0; k < Count; ++k) late_[k] += gains[k];
  }
  /// A bucket in which nothing happened: time passes, the bets stay.
  void pass() noexcept {
    if (buckets_ > 0 && buckets_ % stakes_.every == 0) lay();
    ++buckets_;
  }

  /// Natural log of the wealth.
  [[nodiscard]] double log_wealth() const noexcept {
    const double steady = log_sum_exp(steady_);
    if (stakes_.starts <= 1) return steady;
    const double waiting = 1.0 - static_cast<double>(laid_) / static_cast<double>(stakes_.starts);
    std::array<double, 3> parts{steady, log_sum_exp(late_),
                                waiting > 0 ? std::log(waiting) : -std::numeric_limits<double>::infinity()};
    return log_sum_exp(parts) - std::log(2.0);
  }

 private:
  void lay() noexcept {
    if (stakes_.starts <= 1 || laid_ >= stakes_.starts) return;
    ++laid_;
    for (double& log : late_) {
      const double most = std::max(log, part_);
      log = most + std::log1p(std::exp(std::min(log, part_) - most));
    }
  }

  Stakes stakes_;
  Gains steady_{};
  Gains late_{};
  double part_ = 0;
  std::int64_t laid_ = 0;
  std::int64_t buckets_ = 0;
};

/// One metric's evidence and how much it counts; weights are fixed before anything is seen and sum to at most 1.
struct Weighted {
  double weight = 1;
  double log_evidence = 0;
};
/// Natural log of sum(weight * evidence). An average of e-values is an e-value whatever their dependence, and stronger
/// than Bonferroni, which only looks at the largest. Pure. Source: Vovk, Wang, "E-values: calibration, combination and
/// applications", 2021.
[[nodiscard]] inline double combined(std::span<const Weighted> metrics) noexcept {
  double most = -std::numeric_limits<double>::infinity();
  for (const Weighted& metric : metrics)
    if (metric.weight > 0) most = std::max(most, metric.log_evidence);
  if (!std::isfinite(most)) return most;
  double sum = 0;
  for (const Weighted& metric : metrics)
    if (metric.weight > 0) sum += metric.weight * std::exp(metric.log_evidence - most);
  return most + std::log(sum);
}

}  // namespace serin::judge
