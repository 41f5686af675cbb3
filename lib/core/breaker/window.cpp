#include "window.hpp"

#include <algorithm>

namespace serin::breaker {

void CountWindow::add(bool failed, bool slow) {
  std::uint8_t& mark = marks_[next_];
  next_ = next_ + 1 == marks_.size() ? 0 : next_ + 1;
  if (counts_.calls == static_cast<std::int64_t>(marks_.size())) {
    counts_.failures -= mark & 1;
    counts_.slow -= (mark >> 1) & 1;
  } else {
    ++counts_.calls;
  }
  mark = static_cast<std::uint8_t>((failed ? 1 : 0) | (slow ? 2 : 0));
  counts_.failures += failed ? 1 : 0;
  counts_.slow += slow ? 1 : 0;
}

void CountWindow::clear() {
  counts_ = {};
  next_ = 0;
}

void TimeWindow::move_to(Instant now) {
  if (now >= newest_began_ && now - newest_began_ < width_) return;  // as nearly always: no division
  const std::int64_t bucket = now.time_since_epoch() / width_;
  if (newest_ == INT64_MIN) newest_ = bucket;
  const auto size = static_cast<std::int64_t>(buckets_.size());
  for (std::int64_t step = std::min(bucket - newest_, size); step > 0; --step) {
    // Oldest first; a gap longer than the window clears all of it once.
    Counts& dropped = buckets_[static_cast<std::size_t>((bucket - step + 1) % size)];
    counts_.calls -= dropped.calls;
    counts_.failures -= dropped.failures;
    counts_.slow -= dropped.slow;
    dropped = {};
  }
  newest_ = std::max(newest_, bucket);
  newest_began_ = Instant(newest_ * width_);
}

void TimeWindow::add(bool failed, bool slow, Instant now) {
  move_to(now);
  Counts& bucket = buckets_[static_cast<std::size_t>(newest_ % static_cast<std::int64_t>(buckets_.size()))];
  for (Counts* counts : {&bucket, &counts_}) {
    ++counts->calls;
    counts->failures += failed ? 1 : 0;
    counts->slow += slow ? 1 : 0;
  }
}

const Counts& TimeWindow::counts(Instant now) {
  move_to(now);
  return counts_;
}

void TimeWindow::clear() {
  std::ranges::fill(buckets_, Counts{});
  counts_ = {};
}

}  // namespace serin::breaker
