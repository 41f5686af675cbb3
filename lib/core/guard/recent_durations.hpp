#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "serin/base/time.hpp"

namespace serin::guard {

/// How long the last 256 calls took, well enough for a percentile: never below the true one, at most an eighth above
/// it. 2.5 KB, and constant work a call. Threads: any.
class RecentDurations {
 public:
  void add(Duration took) noexcept;
  /// \param share  0 < share < 1: so many of the calls took at most this long. Nothing before `least` calls (>= 1) were
  /// added.
  [[nodiscard]] std::optional<Duration> percentile(double share, std::size_t least) const noexcept;

 private:
  static constexpr std::size_t window = 256;
  static constexpr std::size_t buckets = 512;  // eight for each power of two nanoseconds
  static std::uint16_t bucket_of(Duration took) noexcept;
  static Duration upper_bound(std::size_t bucket) noexcept;
  mutable std::mutex mutex_;
  std::array<std::uint16_t, window> ring_{};  // guarded by mutex_, like the rest
  std::array<std::uint16_t, buckets> counts_{};
  std::size_t filled_ = 0;
  std::size_t next_ = 0;
};

}  // namespace serin::guard
