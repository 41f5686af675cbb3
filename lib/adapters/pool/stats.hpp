#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <string>

#include "serin/base/time.hpp"

namespace serin::pool {

/// How many durations were at most 1.024 us, twice that, four times that, ..., 17 s, and how many above. A value.
struct Histogram {
  static constexpr std::size_t bounds = 25;
  /// Of bucket `i`: 2^(10 + i) ns.
  [[nodiscard]] static constexpr Duration bound(std::size_t i) { return Duration(std::int64_t{1024} << i); }
  /// The bucket that a duration belongs to; `bounds` is the one without a bound.
  [[nodiscard]] static constexpr std::size_t bucket(Duration value) {
    const auto ns = static_cast<std::uint64_t>(std::max<Duration::rep>(value.count() - 1, 0));
    return std::min(static_cast<std::size_t>(std::bit_width(ns >> 10)), bounds);
  }
  std::array<std::uint64_t, bounds + 1> counts{};  ///< not cumulative
  Duration sum{};

  [[nodiscard]] constexpr std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const std::uint64_t one : counts) all += one;
    return all;
  }
  constexpr void add(Duration value) {
    ++counts[bucket(value)];
    sum += value;
  }
  constexpr void add(const Histogram& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    sum += other.sum;
  }
};

/// What a pool holds now, and what has happened since it was made. The counters only grow.
struct Stats {
  // Now; of an instant between the beginning and the end of the call when others use the pool meanwhile.
  int max = 0;
  int min_idle = 0;
  int total = 0;     ///< all of the following five
  int idle = 0;      ///< can be lent
  int in_use = 0;    ///< are lent
  int creating = 0;  ///< are being made
  int checking = 0;  ///< are asked whether they live, while idle
  int closing = 0;   ///< are being closed
  int waiting = 0;   ///< borrowers in the queue

  // Counters.
  std::uint64_t borrows = 0;    ///< that got one
  std::uint64_t waited = 0;     ///< of these, after a wait in the queue
  std::uint64_t timeouts = 0;   ///< borrowers whose time ran out
  std::uint64_t cancelled = 0;  ///< borrowers that were told to stop
  std::uint64_t refused = 0;    ///< borrowers that met a full queue or a closed pool
  std::uint64_t failed = 0;     ///< borrowers that got a creation's failure (WhenDown::fail)
  std::uint64_t created = 0;
  std::uint64_t create_failures = 0;
  std::uint64_t closed_lifetime = 0;  ///< grew old
  std::uint64_t closed_idle = 0;      ///< nobody needed it
  std::uint64_t closed_dead = 0;      ///< failed its check
  std::uint64_t closed_poisoned = 0;  ///< its borrower said so
  std::uint64_t closed_surplus = 0;   ///< the pool was made smaller, or closed
  std::uint64_t validations = 0;      ///< questions at borrowing, and again when another one was found dead
  std::uint64_t keepalives = 0;       ///< questions while idle
  std::uint64_t leaks_reported = 0;
  std::uint64_t leaks_returned = 0;  ///< of these, that came back after all

  Histogram wait;      ///< in the queue, of those that waited and got one
  Histogram use;       ///< from lending to return
  Histogram creation;  ///< of creations that succeeded
};

/// Of one of several pools. The name is one of few: a metric's label.
struct NamedStats {
  std::string name;
  Stats stats;
};

/// A histogram that one writer fills and anybody reads. Threads: one writer at a time.
class Tally {
 public:
  void add(Duration value) noexcept {
    bump(counts_[Histogram::bucket(value)], 1);
    bump(sum_, static_cast<std::uint64_t>(std::max<Duration::rep>(value.count(), 0)));
  }
  [[nodiscard]] Histogram read() const {
    Histogram out;
    for (std::size_t i = 0; i < counts_.size(); ++i) out.counts[i] = counts_[i].load(std::memory_order_relaxed);
    out.sum = Duration(static_cast<Duration::rep>(sum_.load(std::memory_order_relaxed)));
    return out;
  }

 private:
  // No read-modify-write: there is one writer, and a locked instruction is what the fast path must not have twice.
  static void bump(std::atomic<std::uint64_t>& value, std::uint64_t by) noexcept {
    value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::array<std::atomic<std::uint64_t>, Histogram::bounds + 1> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace serin::pool
