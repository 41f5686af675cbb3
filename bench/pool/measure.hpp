#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "serin/ports/clock.hpp"

// Threads that borrow and return as fast as they can, and what came of it.
namespace serin::pool_bench {

/// One line of the bench: the same form for every contender, in whatever language it is.
struct Line {
  std::string who;
  std::string scenario;        ///< "4/2": four threads, two things; "spike"
  double cpu_ns = 0;           ///< of processor time, of all threads, a borrow and return
  double ops_per_ms = 0;       ///< of all threads together, nothing else done
  double longest_wait_us = 0;  ///< of one borrow, in a run in which each is timed
  double least_share = 0;      ///< calls of the thread that got fewest, over those of the one that got most
  double total = 0;            ///< spike: things at the end
  double all_served_ms = 0;    ///< spike: until the last of the fifty had its turn
  double mean_wait_ms = 0;     ///< spike: of the fifty
  [[nodiscard]] std::string json() const;
};

struct Shape {
  int threads;
  int size;
  [[nodiscard]] std::string name() const;
};
/// 1, 2, 4 and 8 threads with as many things, and with half as many.
[[nodiscard]] std::vector<Shape> shapes();

/// Starts them together, tells them when to end, and adds up.
class Crowd {
 public:
  Crowd(int threads, Duration how_long, const Clock& clock) : threads_(threads), how_long_(how_long), clock_(clock) {}
  /// `work` runs on each thread until `end` is true, and returns how often it did what it does.
  struct Result {
    double cpu_ns = 0;
    double ops_per_ms = 0;
    double least_share = 0;
  };
  Result run(const std::function<std::int64_t(int thread, const std::atomic<bool>& end)>& work) const;

 private:
  int threads_;
  Duration how_long_;
  const Clock& clock_;
};

/// What happened to fifty that came at once.
struct Spike {
  double all_served_ms = 0;
  double mean_wait_ms = 0;
};
/// \param turn  borrows, calls `borrowed`, uses it for a while and returns it
[[nodiscard]] Spike spike(int threads, Sleeper& clock, const std::function<void(const std::function<void()>&)>& turn);

}  // namespace serin::pool_bench
