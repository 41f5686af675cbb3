#pragma once
#include <optional>
#include <vector>

#include "serin/judge/likelihood.hpp"

namespace serin::judge {

/// Nothing on a side means: not bounded on it yet.
struct Interval {
  std::optional<double> low;
  std::optional<double> high;
};

/// Which ratios of the two error rates are still possible: a confidence sequence, right at all times together with
/// probability 1 - alpha. A ratio is ruled out once the evidence against it reaches 2/alpha from either side.
/// Resolution: 41 steps from 1/32 to 32. Threads: one; pure.
class RatioInterval {
 public:
  RatioInterval(double alpha, double dispersion);
  void add(const Bucket& bucket) noexcept;
  [[nodiscard]] Interval interval() const noexcept;

 private:
  struct Point {
    double ratio;
    Mixture above;
    Mixture below;
    bool too_low = false;   // the truth is above it; stays ruled out
    bool too_high = false;  // the truth is below it
  };
  double needed_;
  std::vector<Point> points_;
};

}  // namespace serin::judge
