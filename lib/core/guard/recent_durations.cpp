#include "serin/guard/recent_durations.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace serin::guard {

std::uint16_t RecentDurations::bucket_of(Duration took) noexcept {
  const auto value = static_cast<std::uint64_t>(std::max<Duration::rep>(took.count(), 0));
  if (value < 8) return static_cast<std::uint16_t>(value);
  // The power of two, and the three bits behind the leading one.
  const auto power = static_cast<unsigned>(std::bit_width(value)) - 1;
  return static_cast<std::uint16_t>((power - 2) * 8 + ((value >> (power - 3)) & 7));
}

Duration RecentDurations::upper_bound(std::size_t bucket) noexcept {
  if (bucket < 8) return Duration(static_cast<Duration::rep>(bucket));
  const std::size_t power = bucket / 8 + 2;
  const std::uint64_t next = (std::uint64_t{8} + bucket % 8 + 1) << (power - 3);
  return Duration(static_cast<Duration::rep>(std::min<std::uint64_t>(next - 1, INT64_MAX)));
}

void RecentDurations::add(Duration took) noexcept {
  const std::uint16_t bucket = bucket_of(took);
  const std::scoped_lock lock(mutex_);
  if (filled_ == window)
    --counts_[ring_[next_]];
  else
    ++filled_;
  ring_[next_] = bucket;
  ++counts_[bucket];
  next_ = (next_ + 1) % window;
}

std::optional<Duration> RecentDurations::percentile(double share, std::size_t least) const noexcept {
  const std::scoped_lock lock(mutex_);
  if (filled_ < std::max<std::size_t>(least, 1)) return std::nullopt;
  const auto wanted = static_cast<std::size_t>(std::ceil(share * static_cast<double>(filled_)));
  std::size_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted) return upper_bound(bucket);
  }
  return upper_bound(buckets - 1);
}

}  // namespace serin::guard
