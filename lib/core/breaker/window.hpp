#pragma once
#include <cstdint>
#include <vector>

#include "serin/base/time.hpp"

// Private: what a breaker remembers of the calls behind it.
namespace serin::breaker {

struct Counts {
  std::int64_t calls = 0;
  std::int64_t failures = 0;
  std::int64_t slow = 0;
};

/// The last n calls, a byte each. No allocation after it was made. Threads: the breaker's lock.
class CountWindow {
 public:
  explicit CountWindow(int calls) : marks_(static_cast<std::size_t>(calls), 0) {}
  void add(bool failed, bool slow);
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
  void clear();

 private:
  std::vector<std::uint8_t> marks_;  // bit 0 failed, bit 1 slow
  std::size_t next_ = 0;
  Counts counts_;
};

/// The calls of the last stretch of time, in buckets that are dropped whole.
class TimeWindow {
 public:
  TimeWindow(Duration length, int buckets) : width_(length / buckets), buckets_(static_cast<std::size_t>(buckets)) {}
  void add(bool failed, bool slow, Instant now);
  [[nodiscard]] const Counts& counts(Instant now);
  void clear();

 private:
  void move_to(Instant now);
  Duration width_;
  std::vector<Counts> buckets_;
  std::int64_t newest_ = INT64_MIN;        // number of the newest bucket since the clock's beginning
  Instant newest_began_ = Instant::max();  // before it: any time of any clock
  Counts counts_;
};

}  // namespace serin::breaker
