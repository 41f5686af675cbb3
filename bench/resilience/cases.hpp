#pragma once
#include <string>
#include <vector>

#include "measure.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/random.hpp"

namespace serin::resilience {

/// B0 to B13 of ours. \param sleeper  outlives the cases; its sleeps end at once
[[nodiscard]] std::vector<Case> our_cases(Sleeper& sleeper, Random& random, const std::string& clock);
/// What people write by hand. \param clock  outlives the cases
[[nodiscard]] std::vector<Case> cases_by_hand(const Clock& clock);

/// Threads on one object, and on one each.
struct Contended {
  std::string what;
  int threads = 1;
  bool shared = true;
  double calls_a_second = 0;  ///< of all threads together, median of the repetitions
};
struct Exactness {
  std::string what;
  int threads = 1;
  std::int64_t granted = 0;
  std::int64_t expected = 0;
};
struct Contention {
  std::vector<Contended> timed;
  std::vector<Exactness> exact;
};
[[nodiscard]] Contention measure_contention(const Plan& plan, const Clock& clock);

}  // namespace serin::resilience
