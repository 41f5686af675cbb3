#include "serin/judge/against_past.hpp"

#include <algorithm>
#include <cmath>

namespace serin::judge {
namespace {

constexpr double nearest = 1.3;
constexpr double farthest = 40;
constexpr double cusum_ratio = 3;
// Odds at which it is put down to somebody. An incident of both that is taken for the canary's fault is a wrong
// rollback, the other way round a person is asked: so the first needs more.
constexpr double sure_of_canary = 1000;
constexpr double sure_of_both = 20;

double binomial_log_ratio(double errors, double requests, double p1, double p0) {
  const auto term = [](double count, double a, double b) { return count <= 0 ? 0.0 : count * std::log(a / b); };
  return term(errors, p1, p0) + term(requests - errors, 1 - p1, 1 - p0);
}

}  // namespace

AgainstPast::AgainstPast(const History& history, const Margin& margin, const Stakes& stakes)
    : dispersion_(std::max(1.0, history.dispersion)), stakes_(stakes), bets_(stakes) {
  const auto requests = static_cast<double>(std::max<std::int64_t>(1, history.requests));
  const auto errors = static_cast<double>(std::clamp<std::int64_t>(history.errors, 0, history.requests));
  // Never zero: that nothing failed before does not mean that nothing may fail.
  before_ = std::max(errors, 0.5) / requests;
  const double standard_error = std::sqrt(dispersion_ * std::max(errors, 1.0)) / requests;
  limit_ = margin.ratio * (before_ + 2 * standard_error) + margin.absolute;
  const double widest = std::min(farthest, 0.9 / limit_);
  usable_ = history.requests > 0 && widest > nearest;
  if (!usable_) return;
  for (std::size_t k = 0; k < count; ++k) {
    const double lambda = nearest * std::pow(widest / nearest, static_cast<double>(k) / (count - 1.0));
    per_error_[k] = std::log(lambda) / dispersion_;
    per_success_[k] = std::log((1 - lambda * limit_) / (1 - limit_)) / dispersion_;
  }
  const double lambda = std::min(cusum_ratio, widest);
  cusum_error_ = std::log(lambda);
  cusum_success_ = std::log((1 - lambda * limit_) / (1 - limit_));
}

void AgainstPast::add(const Bucket& bucket) noexcept {
  if (!usable_) return;
  const auto errors = static_cast<double>(bucket.canary_errors);
  const double successes = static_cast<double>(bucket.canary_requests) - errors;
  if (bucket.canary_requests <= 0) {
    bets_.pass();
  } else {
    Bets<count>::Gains gains;
    for (std::size_t k = 0; k < count; ++k) gains[k] = errors * per_error_[k] + successes * per_success_[k];
    bets_.add(gains);
  }
  since_ += bucket;
  cusum_ += errors * cusum_error_ + successes * cusum_success_;
  if (cusum_ > 0) return;
  cusum_ = 0;
  since_ = {};
}

void AgainstPast::forget() noexcept {
  if (bets_.log_wealth() > 0) bets_ = Bets<count>(stakes_);
}

Blame AgainstPast::blame() const noexcept {
  if (since_.canary_requests <= 0 || since_.baseline_requests <= 0) return Blame::unclear;
  const double rate = static_cast<double>(since_.canary_errors) / static_cast<double>(since_.canary_requests);
  const double now = std::clamp(rate, 1e-9, 1 - 1e-9);
  if (now <= before_) return Blame::unclear;
  const double log = binomial_log_ratio(static_cast<double>(since_.baseline_errors),
                                        static_cast<double>(since_.baseline_requests), now, before_) /
                     dispersion_;
  if (log <= -std::log(sure_of_canary)) return Blame::canary;
  if (log >= std::log(sure_of_both)) return Blame::both;
  return Blame::unclear;
}

}  // namespace serin::judge
