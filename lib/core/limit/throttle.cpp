#include "serin/limit/throttle.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::limit {
namespace {

constexpr std::int64_t bucket_count = 20;

}  // namespace

Result<std::unique_ptr<Throttle>> Throttle::make(ThrottleOptions options) {
  SERIN_CHECK(wrongs(options).status(fmt::format("throttle '{}': ", options.name)));
  return std::unique_ptr<Throttle>(new Throttle(std::move(options)));
}

Throttle::Throttle(ThrottleOptions options)
    : options_(std::move(options)),
      refusal_(
          fail(Errc::rejected, fmt::format("throttle '{}': the peer refuses too much now", options_.name)).error()),
      buckets_(bucket_count) {}

void Throttle::move_to(Instant now) {
  const std::int64_t bucket = now.time_since_epoch() / (options_.length / bucket_count);
  if (newest_ == INT64_MIN) newest_ = bucket;
  for (std::int64_t step = std::min(bucket - newest_, bucket_count); step > 0; --step) {
    Bucket& dropped = buckets_[static_cast<std::size_t>((bucket - step + 1) % bucket_count)];
    sum_.calls -= dropped.calls;
    sum_.accepted -= dropped.accepted;
    dropped = {};
  }
  newest_ = std::max(newest_, bucket);
}

double Throttle::share() const {
  return std::clamp((sum_.calls - options_.factor * sum_.accepted) / (sum_.calls + 1), 0.0, options_.most_refused);
}

Status Throttle::enter(Instant now, std::uint64_t random) {
  const std::scoped_lock lock(mutex_);
  move_to(now);
  const bool refused = static_cast<double>(random >> 11) * 0x1.0p-53 < share();
  // What is refused here counts as asked for: that is what makes the share settle.
  Bucket& bucket = buckets_[static_cast<std::size_t>(newest_ % bucket_count)];
  bucket.calls += 1;
  sum_.calls += 1;
  if (refused) return pass(refusal_);
  return {};
}

void Throttle::report(OutcomeClass outcome, Instant now) {
  if (is_retryable(outcome)) return;
  const std::scoped_lock lock(mutex_);
  move_to(now);
  Bucket& bucket = buckets_[static_cast<std::size_t>(newest_ % bucket_count)];
  // Ignored is as if it had not been asked.
  if (outcome == OutcomeClass::ignored) {
    bucket.calls -= 1;
    sum_.calls -= 1;
    return;
  }
  bucket.accepted += 1;
  sum_.accepted += 1;
}

double Throttle::refused_share(Instant now) {
  const std::scoped_lock lock(mutex_);
  move_to(now);
  return share();
}

}  // namespace serin::limit
