#pragma once
#include <array>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/fleet_pipeline/processing.hpp"
#include "serin/fleet_pipeline/requests.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/log.hpp"

namespace serin::fleet {

struct PrecomputeDeps {
  Sql& sql;
  Bus& bus;
  Clock& clock;
  Random& random;
  Logger logger;
  std::string revision;
};

/// Phase 4: from the contexts of a date and what was played before it to ml_feature_store. Running a date again
/// replaces it. Threads: any; what it is given outlives it.
class Precompute {
 public:
  static constexpr std::array<std::string_view, 2> processors = {"nba_features", "mlb_features"};
  explicit Precompute(PrecomputeDeps deps) : deps_(std::move(deps)) {}

  /// One processor for each sport that has games that day. When one succeeded, phase4-complete is published. A sport
  /// with games but without contexts is a failure: upstream is not complete, and nothing must look finished.
  /// Errors: what the schedule's query said; what fails later is in the report.
  Result<ProcessReport> process(const DateRequest& request, Deadline deadline);

 private:
  PrecomputeDeps deps_;
};

}  // namespace serin::fleet
