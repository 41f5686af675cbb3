#pragma once
#include <cstdint>

namespace serin {

/// The next 64 bits of a seeded sequence: small, fast, and the same on every machine. Not for secrets. Pure but for `state`.
/// Source: SplitMix64; Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
constexpr std::uint64_t split_mix(std::uint64_t& state) noexcept {
  std::uint64_t z = state += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace serin
