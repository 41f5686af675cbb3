#include "serin/limit/adaptive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace serin::limit {
namespace {

constexpr double long_window = 600;        // rounds of the long-term mean
constexpr std::int64_t warm_up = 10;       // plain mean for so many
constexpr double shortest_round = 10;      // calls
constexpr std::int64_t probe_every = 100;  // rounds between two looks for the quickest call
constexpr double aimd_too_slow = 5;        // seconds: as bad as a failure

}  // namespace

std::string_view algorithm_name(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::aimd: return "aimd";
    case Algorithm::vegas: return "vegas";
    case Algorithm::gradient2: return "gradient2";
  }
  return "gradient2";
}

AdaptivePermit::AdaptivePermit(AdaptivePermit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
AdaptivePermit::~AdaptivePermit() {
  if (owner_ != nullptr) owner_->release();
}
void AdaptivePermit::report(OutcomeClass outcome, Duration took) {
  if (AdaptiveLimit* owner = std::exchange(owner_, nullptr)) owner->report(outcome, took);
}

Result<std::unique_ptr<AdaptiveLimit>> AdaptiveLimit::make(AdaptiveOptions options) {
  const auto wrong = [&](std::string text) {
    return fail(Errc::invalid_argument, fmt::format("limit '{}': {}", options.name, text));
  };
  if (!(options.least >= 1)) return wrong(fmt::format("least must be 1 or more, not {}", options.least));
  if (!(options.most >= options.least && options.most <= 100'000))
    return wrong(fmt::format("most must be from {} (least) to 100000, not {}", options.least, options.most));
  if (!(options.first >= options.least && options.first <= options.most))
    return wrong(
        fmt::format("first must be from {} (least) to {} (most), not {}", options.least, options.most, options.first));
  if (!(options.backoff >= 0.5 && options.backoff <= 0.99))
    return wrong(fmt::format("backoff must be from 0.5 to 0.99, not {}", options.backoff));
  if (!(options.smoothing > 0 && options.smoothing <= 1))
    return wrong(fmt::format("smoothing must be above 0 and at most 1, not {}", options.smoothing));
  if (!(options.queue >= 0)) return wrong(fmt::format("queue must be 0 or more, not {}", options.queue));
  if (!(options.tolerance >= 1)) return wrong(fmt::format("tolerance must be 1 or more, not {}", options.tolerance));
  return std::unique_ptr<AdaptiveLimit>(new AdaptiveLimit(std::move(options)));
}

AdaptiveLimit::AdaptiveLimit(AdaptiveOptions options)
    : options_(std::move(options)),
      is_reached_(
          fail(Errc::rejected, fmt::format("limit '{}': the peer takes no more at once now", options_.name)).error()),
      limit_(options_.first) {}

Result<AdaptivePermit> AdaptiveLimit::try_enter() {
  const std::scoped_lock lock(mutex_);
  if (static_cast<double>(in_flight_) + 1 > limit_) {
    ++rejected_;
    return pass(is_reached_);
  }
  ++in_flight_;
  return AdaptivePermit(this);
}

void AdaptiveLimit::release() {
  const std::scoped_lock lock(mutex_);
  --in_flight_;
}

void AdaptiveLimit::report(OutcomeClass outcome, Duration took) {
  const std::scoped_lock lock(mutex_);
  const std::int64_t in_flight = in_flight_--;
  if (outcome == OutcomeClass::ignored) return;
  // A refused connection is quick and says nothing about how long work takes.
  if (outcome == OutcomeClass::transient) return;
  ++round_calls_;
  round_seconds_ += std::max(1e-9, seconds_of(took));
  round_most_ = std::max(round_most_, in_flight);
  round_dropped_ = round_dropped_ || outcome == OutcomeClass::timeout || outcome == OutcomeClass::throttled;
  if (static_cast<double>(round_calls_) < std::max(shortest_round, limit_)) return;
  const bool used = 2 * static_cast<double>(round_most_) >= limit_;
  learn(round_dropped_, round_seconds_ / static_cast<double>(round_calls_), used);
  limit_ = std::clamp(limit_, options_.least, options_.most);
  round_calls_ = 0;
  round_seconds_ = 0;
  round_most_ = 0;
  round_dropped_ = false;
}

void AdaptiveLimit::learn(bool dropped, double seconds, bool used) {
  ++samples_;
  switch (options_.algorithm) {
    case Algorithm::aimd:
      if (dropped || seconds > aimd_too_slow)
        limit_ *= options_.backoff;
      else if (used)
        limit_ += 1;
      return;
    case Algorithm::vegas: {
      const double step = std::log10(std::max(10.0, limit_));
      if (dropped) {
        limit_ *= options_.backoff;
        return;
      }
      if (samples_ >= probe_every) {
        // The quickest call is looked for anew, as the peer may have become slower for good; with half the calls,
        // because a queue of our own making would pass for the peer's normal.
        samples_ = 0;
        quickest_ = 0;
        limit_ /= 2;
        return;
      }
      if (quickest_ == 0 || seconds < quickest_) quickest_ = seconds;
      if (!used) return;
      const double waiting = std::ceil(limit_ * (1 - quickest_ / seconds));
      if (waiting <= step)
        limit_ += 6 * step;
      else if (waiting < 3 * step)
        limit_ += step;
      else if (waiting > 6 * step)
        limit_ -= step;
      return;
    }
    case Algorithm::gradient2: {
      if (dropped) {
        limit_ *= options_.backoff;
        return;
      }
      const double weight = samples_ <= warm_up ? 1.0 / static_cast<double>(samples_) : 2.0 / (long_window + 1);
      long_term_ += weight * (seconds - long_term_);
      // After an overload the long-term mean is far too long; it comes down quickly.
      if (long_term_ / seconds > 2) long_term_ *= 0.95;
      if (!used) return;
      const double gradient = std::clamp(options_.tolerance * long_term_ / seconds, 0.5, 1.0);
      const double found = limit_ * gradient + options_.queue;
      limit_ = (1 - options_.smoothing) * limit_ + options_.smoothing * found;
      return;
    }
  }
}

AdaptiveLimit::Snapshot AdaptiveLimit::snapshot() const {
  const std::scoped_lock lock(mutex_);
  return {.limit = limit_, .in_flight = in_flight_, .rejected = rejected_};
}

}  // namespace serin::limit
