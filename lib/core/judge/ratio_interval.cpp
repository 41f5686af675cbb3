#include "serin/judge/ratio_interval.hpp"

#include <cmath>

namespace serin::judge {
namespace {

constexpr int steps = 41;
constexpr double widest = 32;

}  // namespace

RatioInterval::RatioInterval(double alpha, double dispersion) : needed_(std::log(2 / alpha)) {
  points_.reserve(steps);
  for (int i = 0; i < steps; ++i) {
    const double ratio = std::pow(widest, 2.0 * i / (steps - 1) - 1);
    const Mixture::Shape shape{.null_ratio = ratio, .dispersion = dispersion};
    Mixture::Shape down = shape;
    down.side = Mixture::Side::below;
    points_.push_back({.ratio = ratio, .above = Mixture(shape), .below = Mixture(down)});
  }
}

void RatioInterval::add(const Bucket& bucket) noexcept {
  if (bucket.canary_errors + bucket.baseline_errors == 0) return;  // without errors every ratio stays as likely
  for (Point& point : points_) {
    point.above.add(bucket);
    point.below.add(bucket);
    point.too_low = point.too_low || point.above.log_evidence() >= needed_;
    point.too_high = point.too_high || point.below.log_evidence() >= needed_;
  }
}

Interval RatioInterval::interval() const noexcept {
  Interval interval;
  for (const Point& point : points_) {
    if (point.too_low) interval.low = point.ratio;
    if (point.too_high && !interval.high) interval.high = point.ratio;
  }
  return interval;
}

}  // namespace serin::judge
