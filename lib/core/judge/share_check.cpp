#include "serin/judge/share_check.hpp"

#include <algorithm>
#include <cmath>

#include "serin/judge/special.hpp"

namespace serin::judge {
namespace {

constexpr double prior_weight = 100;  // as in the authors' library
constexpr double smallest = 1e-9;

double log_beta(double a, double b) { return log_gamma(a) + log_gamma(b) - log_gamma(a + b); }

}  // namespace

ShareCheck::ShareCheck(double share, double tolerance)
    : low_(std::clamp(share - tolerance, smallest, 1 - smallest)),
      high_(std::clamp(share + tolerance, smallest, 1 - smallest)),
      prior_canary_(prior_weight * std::clamp(share, smallest, 1 - smallest)),
      prior_other_(prior_weight - prior_canary_) {}

void ShareCheck::add(std::int64_t canary, std::int64_t all) noexcept {
  canary_ += canary;
  all_ += all;
}

double ShareCheck::log_evidence() const noexcept { return log_evidence(canary_, all_); }

double ShareCheck::log_evidence(std::int64_t canary, std::int64_t all) const noexcept {
  if (all <= 0) return 0;
  const auto seen = static_cast<double>(std::clamp<std::int64_t>(canary, 0, all));
  const double others = static_cast<double>(all) - seen;
  const double share = std::clamp(seen / static_cast<double>(all), low_, high_);
  return log_beta(prior_canary_ + seen, prior_other_ + others) - log_beta(prior_canary_, prior_other_) -
         seen * std::log(share) - others * std::log1p(-share);
}

}  // namespace serin::judge
