#include "serin/limit/send_rate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace serin::limit {
namespace {

constexpr double least_tokens = 1;  // a bucket that holds less than one call would let none through
constexpr double headroom = 2;      // times what is really sent
constexpr double grain = 1e-9;

}  // namespace

Result<std::unique_ptr<SendRate>> SendRate::make(SendRateOptions options) {
  SERIN_CHECK(wrongs(options).status(fmt::format("send rate '{}': ", options.name)));
  return std::unique_ptr<SendRate>(new SendRate(std::move(options)));
}

void SendRate::refill(Instant now) {
  if (now <= refilled_) return;
  tokens_ = std::min(std::max(least_tokens, rate_), tokens_ + rate_ * seconds_of(now - refilled_));
  refilled_ = now;
}

std::optional<Duration> SendRate::take(Instant now) noexcept {
  const std::scoped_lock lock(mutex_);
  if (!limited_) return std::nullopt;
  refill(now);
  if (tokens_ >= 1 - grain) {
    tokens_ = std::max(0.0, tokens_ - 1);
    return std::nullopt;
  }
  return Duration(std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil((1 - tokens_) / rate_ * 1e9))));
}

void SendRate::measure(Instant now) {
  const std::int64_t half_second = now.time_since_epoch() / 500ms;
  if (half_second_ == INT64_MIN) half_second_ = half_second;
  ++sent_;
  if (half_second <= half_second_) return;
  const double rate = static_cast<double>(sent_) / (0.5 * static_cast<double>(half_second - half_second_));
  measured_ = options_.smoothing * rate + (1 - options_.smoothing) * measured_;
  half_second_ = half_second;
  sent_ = 0;
}

void SendRate::set_rate(double rate, Instant now) {
  refill(now);
  rate_ = std::max(rate, options_.least);
  tokens_ = std::min(tokens_, std::max(least_tokens, rate_));
}

void SendRate::report(OutcomeClass outcome, Instant sent, Instant now) noexcept {
  if (outcome == OutcomeClass::ignored) return;
  const std::scoped_lock lock(mutex_);
  measure(now);
  if (outcome == OutcomeClass::throttled) {
    if (limited_ && sent < cut_) return;
    before_cut_ = limited_ ? std::min(measured_, rate_) : measured_;
    // Before the first half second is over nothing is measured; what was counted in it is all there is.
    if (before_cut_ <= 0) before_cut_ = static_cast<double>(sent_);
    back_after_ = std::cbrt(before_cut_ * (1 - options_.keep) / options_.steepness);
    cut_ = now;
    if (!limited_) refilled_ = now;
    limited_ = true;
    set_rate(before_cut_ * options_.keep, now);
    return;
  }
  if (!limited_) return;
  const double from_top = std::max(0.0, seconds_of(now - cut_)) - back_after_;
  const double found = options_.steepness * from_top * from_top * from_top + before_cut_;
  set_rate(std::min(found, headroom * std::max(measured_, options_.least)), now);
}

SendRate::Snapshot SendRate::snapshot(Instant now) const {
  const std::scoped_lock lock(mutex_);
  const double since = std::max(0.0, seconds_of(now - refilled_));
  return {.limited = limited_,
          .rate = rate_,
          .measured = measured_,
          .tokens = limited_ ? std::min(std::max(least_tokens, rate_), tokens_ + rate_ * since) : 0};
}

}  // namespace serin::limit
