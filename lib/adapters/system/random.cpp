#include "serin/system/random.hpp"

#include <sys/random.h>

#include "serin/base/error.hpp"

namespace serin {

SystemRandom::SystemRandom() : state_(0) {
  // Cannot fail for so few bytes once the machine has booted.
  SERIN_ASSERT(getrandom(&state_, sizeof state_, 0) == static_cast<ssize_t>(sizeof state_));
}

std::uint64_t SystemRandom::next() {
  std::uint64_t z = 0;
  {
    const std::lock_guard lock(mutex_);
    z = (state_ += 0x9E3779B97F4A7C15ULL);
  }
  // SplitMix64 (Steele, Lea, Flood 2014).
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace serin
