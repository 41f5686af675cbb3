#pragma once
#include <cstdint>

#include "serin/base/split_mix.hpp"

namespace serin::trials {

/// Random counts, the same for a seed on every run and with every standard library. Threads: one; pure but for its
/// state.
class Sampler {
 public:
  explicit Sampler(std::uint64_t seed) noexcept : state_(seed) {}
  /// Uniform in [0, 1).
  double unit() noexcept { return static_cast<double>(split_mix(state_) >> 11) * 0x1.0p-53; }
  std::uint64_t bits() noexcept { return split_mix(state_); }
  /// Mean >= 0. Source: Knuth's product below 10, above it Hoermann, "The transformed rejection method for generating
  /// Poisson random variables", 1993 (PTRS).
  std::int64_t poisson(double mean) noexcept;
  /// n >= 0, 0 <= p <= 1. Source: inversion where n p is small, else Hoermann, "The generation of binomial random
  /// variates", 1993 (BTRS).
  std::int64_t binomial(std::int64_t n, double p) noexcept;
  /// 1, 2, ... with a mean of at least 1.
  std::int64_t geometric(double mean) noexcept;

 private:
  std::int64_t small_binomial(std::int64_t n, double p) noexcept;
  std::int64_t large_binomial(std::int64_t n, double p) noexcept;
  std::uint64_t state_;
};

}  // namespace serin::trials
