#pragma once
#include <cstdint>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin::judge {

/// How much worse than the baseline's error rate p is still meant: p_canary <= ratio * p + absolute.
struct Margin {
  double ratio = 1.25;       ///< >= 1
  double absolute = 0.0005;  ///< share of requests, 0 to 1; needed where p is near 0
};

/// What the error judge is allowed to get wrong, and what it has to tell apart.
struct ErrorJudgeOptions {
  double alpha = 0.01;             ///< chance to ever call a tolerable canary worse; 0 < alpha < 1
  double beta = 0.05;              ///< chance to ever call a canary beyond `healthy` healthy; 0 < beta < 1
  Margin tolerable{1.25, 0.0005};  ///< up to here a canary is not worse
  Margin healthy{2.0, 0.001};      ///< a canary proved to be below this is healthy; not below `tolerable`
  double dispersion = 1.0;         ///< >= 1; how much errors clump (learned at 0 %); every increment is divided by it
  std::int64_t min_canary_errors = 5;  ///< no statistical "worse" before so many canary errors; >= 1
  std::int64_t planned_buckets = 900;  ///< over how many buckets late onsets are looked for; >= 1
  std::int64_t restart_every = 30;     ///< one restart of the evidence each so many buckets; >= 1
};

}  // namespace serin::judge
