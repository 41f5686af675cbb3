#include "serin/limit/rate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace serin::limit {

Result<std::unique_ptr<RateLimit>> RateLimit::make(RateOptions options) {
  SERIN_CHECK(wrongs(options).status(fmt::format("rate '{}': ", options.name)));
  return std::unique_ptr<RateLimit>(new RateLimit(std::move(options)));
}

RateLimit::RateLimit(RateOptions options)
    : options_(std::move(options)),
      interval_(1e9 / options_.rate),
      tolerance_(std::llround(interval_ * options_.burst)) {}

std::optional<Duration> RateLimit::take(Instant now, double calls) noexcept {
  const std::int64_t at = now.time_since_epoch().count();
  const std::int64_t cost = std::llround(interval_ * calls);
  std::int64_t due = due_.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t next = std::max(due, at) + cost;
    if (next - at > tolerance_) return Duration(next - at - tolerance_);
    if (due_.compare_exchange_weak(due, next, std::memory_order_relaxed)) return std::nullopt;
  }
}

double RateLimit::left(Instant now) const noexcept {
  const std::int64_t ahead =
      std::max<std::int64_t>(0, due_.load(std::memory_order_relaxed) - now.time_since_epoch().count());
  return std::max(0.0, static_cast<double>(tolerance_ - ahead) / interval_);
}

}  // namespace serin::limit
