#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "serin/ports/clock.hpp"

// The measuring itself: repetitions, their spread, and what a call allocates.
namespace serin::resilience {

/// Keeps the compiler from leaving out what computes `value`.
template <class T>
inline void keep(T&& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

struct Timing {
  double median = 0;  ///< ns a call, over the repetitions
  double p99 = 0;     ///< ns; with fewer than a hundred repetitions the slowest one
  double cv = 0;      ///< standard deviation over mean
};
/// Errors: none; at least one repetition is given.
[[nodiscard]] Timing timing_of(std::vector<double> repetitions);

struct Case {
  std::string name;                              ///< "B1 retry"
  std::string kind;                              ///< "retry": the same for what can be compared
  std::string who;                               ///< "ours", "C++ by hand"
  std::string clock;                             ///< "fake", "real"
  std::function<void(std::int64_t calls)> many;  ///< makes so many calls
  std::int64_t state_bytes = 0;                  ///< of the object, what it allocates included
};
struct Measured {
  Timing timing;
  double allocations = 0;  ///< a call
};

struct Plan {
  int repetitions = 25;
  Duration each{};  ///< of one repetition, about
};
/// One repetition of each case in turn, again and again, so that a change of the machine's mood meets all of them.
/// Threads: the caller's, which should be pinned.
[[nodiscard]] std::vector<Measured> measure(const std::vector<Case>& cases, const Plan& plan, const Clock& clock);

/// So far in this program.
struct Allocated {
  std::int64_t times = 0;
  std::int64_t bytes = 0;
};
[[nodiscard]] Allocated allocated() noexcept;

/// \param first  to one core; otherwise to all of them
void pin(bool first);

}  // namespace serin::resilience
