#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "serin/base/split_mix.hpp"
#include "serin/base/time.hpp"
#include "serin/retry/backoff.hpp"

// What the scenarios share: seeded chance and simulated time.
namespace serin::herd {

/// Seeded chance and what is drawn from it. Threads: one.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() { return split_mix(state_); }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double normal() { return std::sqrt(-2 * std::log(1 - unit())) * std::cos(6.283185307179586 * unit()); }
  double exponential(double mean) { return -mean * std::log(1 - unit()); }

 private:
  std::uint64_t state_;
};

/// Events in the order of their time; the same time in the order in which they were made.
class Timeline {
 public:
  void at(Instant when, std::function<void()> event) { events_.push({when, made_++, std::move(event)}); }
  [[nodiscard]] Instant now() const { return now_; }
  /// Until nothing is left or `until` is reached.
  void run(Instant until) {
    while (!events_.empty() && events_.top().when <= until) {
      Entry next = events_.top();
      events_.pop();
      now_ = next.when;
      next.event();
    }
  }

 private:
  struct Entry {
    Instant when;
    std::uint64_t made;
    std::function<void()> event;
    bool operator<(const Entry& other) const { return when != other.when ? when > other.when : made > other.made; }
  };
  std::priority_queue<Entry> events_;
  std::uint64_t made_ = 0;
  Instant now_{};
};

/// Mean and half of its 95 % interval.
struct Estimate {
  double mean = 0;
  double margin = 0;
};
[[nodiscard]] inline Estimate estimate(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  double squares = 0;
  for (const double value : values) squares += (value - sum / n) * (value - sum / n);
  return {.mean = sum / n, .margin = 1.96 * std::sqrt(squares / (n - 1) / n)};
}

/// Writes "scenario,variant,figure,value,margin" lines.
struct Table {
  std::string csv = "scenario,variant,figure,value,margin\n";
  void add(std::string_view scenario, std::string_view variant, std::string_view figure, Estimate value);
};

/// Each returns whether what is known of it came out.
bool run_contention(Table& table, int seeds);
bool run_overload(Table& table, int seeds);
bool run_reconnect(Table& table, int seeds);
/// Attempts that reach the server in each second of one run of the overload, for some of the variants, as an SVG.
[[nodiscard]] std::string draw_overload();

}  // namespace serin::herd
