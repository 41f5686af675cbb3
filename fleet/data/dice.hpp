#pragma once
#include <cstdint>

#include "serin/base/split_mix.hpp"

namespace serin::fleet {

/// The seeded source behind the simulated league (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014). It uses +, -, * and / only, so that a seed gives the same league on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept { return split_mix(state_); }
  /// Uniform in [0, 1).
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double between(double low, double high) noexcept { return low + (high - low) * unit(); }
  int below(int bound) noexcept { return static_cast<int>(next() % static_cast<std::uint64_t>(bound)); }
  bool chance(double probability) noexcept { return unit() < probability; }
  /// Nearly normal: twelve uniform draws, no further than 6 spreads from the mean.
  double normal(double mean, double spread) noexcept {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += unit();
    return mean + spread * sum;
  }
  /// Successes in `tries` independent tries.
  int successes(int tries, double probability) noexcept {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += chance(probability) ? 1 : 0;
    return count;
  }

 private:
  std::uint64_t state_;
};

}  // namespace serin::fleet
