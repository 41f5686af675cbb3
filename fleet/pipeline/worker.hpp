#pragma once
#include <cstdint>
#include <string>

#include "serin/base/error.hpp"
#include "serin/fleet_pipeline/events.hpp"
#include "serin/fleet_pipeline/predictor.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/log.hpp"

namespace serin::fleet {

struct WorkerDeps {
  Predictor& predictor;
  Sql& sql;
  Bus& bus;
  Clock& clock;
  Logger logger;
};

/// What became of a request that is done with: nobody needs to deliver it again.
struct WorkDone {
  Outcome outcome = Outcome::predicted;
  std::string reason;  ///< of a skip
  std::int64_t rows = 0;
};

/// One player of a batch: features, models, rows into the staging table, completion on the bus, in this order, so that
/// a completion is never told of work that could still be lost. Delivered twice, it writes the same rows.
/// Threads: any; what it is given outlives it.
class Worker {
 public:
  explicit Worker(WorkerDeps deps) : deps_(std::move(deps)) {}
  /// Errors: unavailable for every transient reason (deliver again), with the reason's name first; others as they are.
  Result<WorkDone> handle(const PredictionRequest& request, Deadline deadline);

 private:
  Result<WorkDone> work(const PredictionRequest& request, Deadline deadline);
  WorkerDeps deps_;
};

}  // namespace serin::fleet
