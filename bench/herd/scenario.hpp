#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serin/base/split_mix.hpp"
#include "serin/base/time.hpp"

// What the scenarios share: seeded chance, simulated time, and the report they write to.
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

/// Events in the order of their time; the same time in the order in which they were made. Threads: one.
class Timeline {
 public:
  void at(Instant when, std::function<void()> event) {
    events_.push_back({when, made_++, std::move(event)});
    std::push_heap(events_.begin(), events_.end());
  }
  [[nodiscard]] Instant now() const { return now_; }
  /// Until nothing is left or `until` is reached.
  void run(Instant until) {
    while (!events_.empty() && events_.front().when <= until) {
      std::pop_heap(events_.begin(), events_.end());
      const Entry next = std::move(events_.back());
      events_.pop_back();
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
  std::vector<Entry> events_;  // a heap, the earliest first
  std::uint64_t made_ = 0;
  Instant now_{};
};

/// Mean and half of its 95 % interval (Student's t, so that few seeds do not look better than they are).
struct Estimate {
  double mean = 0;
  double margin = 0;
};
[[nodiscard]] Estimate estimate(const std::vector<double>& values);

/// What a run leaves behind: figures as CSV, a page in Markdown, pictures as SVG. Threads: one.
struct Report {
  struct Picture {
    std::string name;  ///< "herd.svg"
    std::string svg;
  };
  std::string csv = "scenario,variant,figure,value,margin\n";
  std::string page;
  std::vector<Picture> pictures;
  /// A line of the CSV, also printed.
  void add(std::string_view scenario, std::string_view variant, std::string_view figure, Estimate value);
  void text(std::string_view paragraph);
  /// A row of a table of the page; the first of a table is its head.
  void row(const std::vector<std::string>& cells);
  void head(const std::vector<std::string>& cells);
};
/// "3.14 +- 0.02"; only the mean when every seed gave the same.
[[nodiscard]] std::string cell(Estimate value, int digits = 2);
/// "93 %"
[[nodiscard]] std::string share(double value);

/// One figure over all seeds.
template <class Outcome>
[[nodiscard]] Estimate over(const std::vector<Outcome>& outcomes, double Outcome::*figure) {
  std::vector<double> values;
  values.reserve(outcomes.size());
  for (const Outcome& outcome : outcomes) values.push_back(outcome.*figure);
  return estimate(values);
}
/// One play a seed.
template <class Play>
[[nodiscard]] auto play_seeds(int seeds, const Play& play) {
  std::vector<decltype(play(std::uint64_t{}))> outcomes;
  outcomes.reserve(static_cast<std::size_t>(seeds));
  for (int seed = 1; seed <= seeds; ++seed) outcomes.push_back(play(static_cast<std::uint64_t>(seed) * 15485863));
  return outcomes;
}

/// How much is played: everything, or what a test has time for.
enum class Effort : std::uint8_t { all, check };

// Each plays its scenario, writes its section, and returns whether what is known of it came out.
bool run_contention(Report& report, Effort effort);
bool run_overload(Report& report, Effort effort);
bool run_boundary(Report& report, Effort effort);
bool run_loops(Report& report, Effort effort);
bool run_sweep(Report& report, Effort effort);
bool run_slow(Report& report, Effort effort);
bool run_reconnect(Report& report, Effort effort);
bool run_retry_after(Report& report, Effort effort);
bool run_replica(Report& report, Effort effort);

}  // namespace serin::herd
