#pragma once
#include <cstdint>

namespace serin {

/// 64 uniform bits a call. Threads: any.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Nearly uniform in [0, bound), bound >= 1: the modulo bias is below bound / 2^64.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
};

}  // namespace serin
