#include "serin/judge/likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace serin::judge {
namespace {

constexpr double nearest = 1.3;    // times the null: nearer alternatives would need more requests than a rollout has
constexpr double farthest = 40.0;  // beyond it the evidence is overwhelming anyway

double add_logs(double a, double b) noexcept {
  const double most = std::max(a, b);
  if (most == -std::numeric_limits<double>::infinity()) return most;
  return most + std::log(std::exp(a - most) + std::exp(b - most));
}

}  // namespace

double log_sum_exp(const std::array<double, alternatives>& logs) noexcept {
  const double most = *std::ranges::max_element(logs);
  if (most == -std::numeric_limits<double>::infinity()) return most;
  double sum = 0;
  for (const double log : logs) sum += std::exp(log - most);
  return most + std::log(sum);
}

Mixture::Mixture(const Shape& shape) : shape_(shape) {
  for (std::size_t k = 0; k < alternatives; ++k) {
    const double factor = nearest * std::pow(farthest / nearest, static_cast<double>(k) / (alternatives - 1.0));
    ratios_[k] = shape.side == Side::above ? shape.null_ratio * factor : shape.null_ratio / factor;
    log_gain_[k] = std::log(ratios_[k] / shape.null_ratio);
  }
  log_weight_.fill(-std::numeric_limits<double>::infinity());
  start();
}

void Mixture::start() noexcept {
  if (started_ >= shape_.starts) return;
  ++started_;
  const double part = -std::log(static_cast<double>(shape_.starts) * static_cast<double>(alternatives));
  for (double& log : log_weight_) log = add_logs(log, part);
}

void Mixture::add(const Bucket& bucket) noexcept {
  // A start takes effect with the bucket that follows it, so that it never knows the outcome that it bets on.
  if (buckets_ > 0 && buckets_ % shape_.every == 0) start();
  ++buckets_;
  const auto canary = static_cast<double>(bucket.canary_requests);
  const double all = canary + static_cast<double>(bucket.baseline_requests);
  if (all <= 0) return;
  const double share = canary / all;  // as it really was, not as it was asked for
  const auto canary_errors = static_cast<double>(bucket.canary_errors);
  const double errors = canary_errors + static_cast<double>(bucket.baseline_errors);
  for (std::size_t k = 0; k < alternatives; ++k) {
    const double g = (1 - share + share * ratios_[k]) / (1 - share + share * shape_.null_ratio);
    const double log = canary_errors * log_gain_[k] - errors * std::log(g) -
                       shape_.absolute * canary * (ratios_[k] / (shape_.null_ratio * g) - 1);
    log_weight_[k] += log / shape_.dispersion;
  }
}

double Mixture::log_evidence() const noexcept {
  const double waiting = 1.0 - static_cast<double>(started_) / static_cast<double>(shape_.starts);
  const double running = log_sum_exp(log_weight_);
  return waiting > 0 ? add_logs(running, std::log(waiting)) : running;
}

}  // namespace serin::judge
