#include "serin/judge/likelihood.hpp"

#include <algorithm>
#include <cmath>

namespace serin::judge {
namespace {

constexpr double nearest = 1.3;    // times the null: nearer alternatives would need more requests than a rollout has
constexpr double farthest = 40.0;  // beyond it the evidence is overwhelming anyway
constexpr std::int64_t most_requests = std::int64_t{1} << 40;

}  // namespace

Bucket sane(const Bucket& given) noexcept {
  Bucket bucket{.canary_requests = std::clamp<std::int64_t>(given.canary_requests, 0, most_requests),
                .baseline_requests = std::clamp<std::int64_t>(given.baseline_requests, 0, most_requests)};
  bucket.canary_errors = std::clamp<std::int64_t>(given.canary_errors, 0, bucket.canary_requests);
  bucket.baseline_errors = std::clamp<std::int64_t>(given.baseline_errors, 0, bucket.baseline_requests);
  return bucket;
}

void operator+=(Bucket& total, const Bucket& bucket) noexcept {
  total.canary_requests += bucket.canary_requests;
  total.canary_errors += bucket.canary_errors;
  total.baseline_requests += bucket.baseline_requests;
  total.baseline_errors += bucket.baseline_errors;
}

Mixture::Mixture(const Shape& shape) : shape_(shape), bets_(shape.stakes) {
  for (std::size_t k = 0; k < alternatives; ++k) {
    const double factor = nearest * std::pow(farthest / nearest, static_cast<double>(k) / (alternatives - 1.0));
    ratios_[k] = shape.side == Side::above ? shape.null_ratio * factor : shape.null_ratio / factor;
    log_gain_[k] = std::log(ratios_[k] / shape.null_ratio);
  }
}

void Mixture::add(const Bucket& bucket) noexcept {
  const auto canary = static_cast<double>(bucket.canary_requests);
  const double all = canary + static_cast<double>(bucket.baseline_requests);
  if (all <= 0) return bets_.pass();
  const double share = canary / all;  // as it really was, not as it was asked for
  const auto canary_errors = static_cast<double>(bucket.canary_errors);
  const double errors = canary_errors + static_cast<double>(bucket.baseline_errors);
  if (errors <= 0 && shape_.absolute <= 0) return bets_.pass();
  Bets<alternatives>::Gains gains;
  const double null_sum = 1 - share + share * shape_.null_ratio;
  for (std::size_t k = 0; k < alternatives; ++k) {
    const double g = (1 - share + share * ratios_[k]) / null_sum;
    double log = -shape_.absolute * canary * (ratios_[k] / (shape_.null_ratio * g) - 1);
    if (errors > 0) log += canary_errors * log_gain_[k] - errors * std::log(g);
    gains[k] = log / shape_.dispersion;
  }
  bets_.add(gains);
}

}  // namespace serin::judge
