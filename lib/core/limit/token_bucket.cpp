#include "serin/limit/token_bucket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace serin::limit {
namespace {

// A token that is missing by less than this is there: the sum of a wait and its deposit is not exact in binary.
constexpr double grain = 1e-9;
constexpr double most_counted = 1e6;

}  // namespace

Result<std::unique_ptr<TokenBucket>> TokenBucket::make(RateOptions options) {
  SERIN_CHECK(wrongs(options).status(fmt::format("rate '{}': ", options.name)));
  return std::unique_ptr<TokenBucket>(new TokenBucket(std::move(options)));
}

/// Above `burst` when it has been full again for a while.
double TokenBucket::level(Instant now) const {
  // A thread that read the clock before another took the lock sees the past: no deposit then, and none taken back.
  const Duration since = std::max(Duration::zero(), now - full_at_);
  return options_.burst + options_.rate * (static_cast<double>(since.count()) / 1e9) - taken_;
}

std::optional<Duration> TokenBucket::take(Instant now, double calls) noexcept {
  const std::scoped_lock lock(mutex_);
  if (full_at_ == Instant::min() || level(now) >= options_.burst) {
    full_at_ = std::max(full_at_, now);
    taken_ = 0;
  }
  const double missing = calls - level(now);
  if (missing <= grain) {
    taken_ += calls;
    // A bucket that is never full again for days would count with ever larger numbers, and lose the small ones.
    if (taken_ - options_.burst > most_counted && taken_ - options_.burst >= options_.rate) {
      const double seconds = std::floor((taken_ - options_.burst) / options_.rate);
      full_at_ += Duration(static_cast<std::int64_t>(seconds) * 1'000'000'000);
      taken_ -= seconds * options_.rate;
    }
    return std::nullopt;
  }
  return Duration(std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(missing / options_.rate * 1e9))));
}

void TokenBucket::give_back(double calls) noexcept {
  const std::scoped_lock lock(mutex_);
  taken_ = std::max(0.0, taken_ - calls);
}

double TokenBucket::left(Instant now) const noexcept {
  const std::scoped_lock lock(mutex_);
  if (full_at_ == Instant::min()) return options_.burst;
  return std::clamp(level(now), 0.0, options_.burst);
}

}  // namespace serin::limit
