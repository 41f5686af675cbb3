#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "serin/trials/trial.hpp"

namespace serin::tool {

struct ComparedScenario {
  trials::Scenario scenario;
  std::vector<trials::Characteristics> found;  ///< one for each judge
};
struct ComparedJudge {
  std::string title;
  std::string rule;
};
/// Judges on scenarios; the first judge is ours.
struct Comparison {
  std::int64_t runs = 0;
  std::uint64_t seed = 0;
  double seconds = 0;  ///< that our judge's rollouts took, on `threads`
  int threads = 1;
  std::vector<ComparedJudge> judges;
  std::vector<ComparedScenario> scenarios;
};

/// The page of docs/perf: what was promised and whether it is kept, then the tables. Pure.
[[nodiscard]] std::string comparison_page(const Comparison& comparison);

}  // namespace serin::tool
