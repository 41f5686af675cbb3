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
constexpr std::int64_t first_probe = 20;   // rounds until the first measurement of the normal
constexpr std::int64_t probe_every = 100;  // rounds between two of them
constexpr double probe_calls = 50;         // that are measured, as many as Envoy takes
constexpr double vegas_trust = 0.1;        // of a round that was quicker than normal: one lucky round is no new normal
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
  SERIN_CHECK(wrongs(options).status(fmt::format("limit '{}': ", options.name)));
  return std::unique_ptr<AdaptiveLimit>(new AdaptiveLimit(std::move(options)));
}

AdaptiveLimit::AdaptiveLimit(AdaptiveOptions options)
    : options_(std::move(options)),
      is_reached_(
          fail(Errc::rejected, fmt::format("limit '{}': the peer takes no more at once now", options_.name)).error()),
      limit_(options_.first),
      until_probe_(first_probe) {}

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
  const double length = probe_ == Probe::measuring ? probe_calls : shortest_round;
  // Draining lasts until the calls of before are back, which are as many as the limit was.
  const double limit = probe_ == Probe::draining ? before_probe_ : limit_;
  if (static_cast<double>(round_calls_) >= std::max(length, limit)) end_round();
}

void AdaptiveLimit::end_round() {
  const double seconds = round_seconds_ / static_cast<double>(round_calls_);
  const bool used = 2 * static_cast<double>(round_most_) >= limit_;
  if (probe_ != Probe::none && round_dropped_) {
    limit_ = before_probe_;
    probe_ = Probe::none;
    until_probe_ = probe_every;
  }
  switch (probe_) {
    case Probe::draining: probe_ = Probe::measuring; break;
    case Probe::measuring: end_probe(seconds); break;
    case Probe::none: learn(round_dropped_, seconds, used); break;
  }
  limit_ = std::clamp(limit_, options_.least, options_.most);
  round_calls_ = 0;
  round_seconds_ = 0;
  round_most_ = 0;
  round_dropped_ = false;
}

void AdaptiveLimit::begin_probe() {
  before_probe_ = limit_;
  limit_ = std::max(options_.least, limit_ / 2);
  probe_ = Probe::draining;
}

void AdaptiveLimit::end_probe(double seconds) {
  // The new normal counts as long known, so that it is not washed away by the next few rounds.
  normal_ = seconds;
  samples_ = warm_up;
  limit_ = before_probe_;
  probe_ = Probe::none;
  until_probe_ = probe_every;
}

void AdaptiveLimit::learn(bool dropped, double seconds, bool used) {
  if (dropped || (options_.algorithm == Algorithm::aimd && seconds > aimd_too_slow)) {
    limit_ *= options_.backoff;
    return;
  }
  ++samples_;
  switch (options_.algorithm) {
    case Algorithm::aimd:
      if (used) limit_ += 1;
      return;
    case Algorithm::vegas: {
      if (normal_ <= 0 || seconds < normal_) normal_ += (normal_ <= 0 ? 1.0 : vegas_trust) * (seconds - normal_);
      if (!used) return;
      const double step = std::log10(std::max(10.0, limit_));
      const double waiting = std::ceil(limit_ * (1 - std::min(1.0, normal_ / seconds)));
      if (waiting <= step)
        limit_ += 6 * step;
      else if (waiting < 3 * step)
        limit_ += step;
      else if (waiting > 6 * step)
        limit_ -= step;
      break;
    }
    case Algorithm::gradient2: {
      const double weight = samples_ <= warm_up ? 1.0 / static_cast<double>(samples_) : 2.0 / (long_window + 1);
      // Upwards only by a probe: calls that wait in a queue of our own making must not pass for the normal.
      if (samples_ <= warm_up || seconds < normal_) normal_ += weight * (seconds - normal_);
      // After an overload the long-term mean is far too long; it comes down quickly.
      if (normal_ / seconds > 2) normal_ *= 0.95;
      if (!used) return;
      const double gradient = std::clamp(options_.tolerance * normal_ / seconds, 0.5, 1.0);
      const double found = limit_ * gradient + options_.queue;
      limit_ = (1 - options_.smoothing) * limit_ + options_.smoothing * found;
      break;
    }
  }
  if (--until_probe_ <= 0) begin_probe();
}

AdaptiveLimit::Snapshot AdaptiveLimit::snapshot() const {
  const std::scoped_lock lock(mutex_);
  return {.limit = limit_, .in_flight = in_flight_, .rejected = rejected_};
}

}  // namespace serin::limit
