#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "serin/base/error.hpp"
#include "serin/fleet_pipeline/predictor.hpp"
#include "serin/fleet_pipeline/requests.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"

namespace serin::fleet {

struct MlbWorkerDeps {
  Predictor& predictor;  ///< of MLB
  Sql& sql;
  Clock& clock;
  Random& random;
  Logger logger;
};

struct MlbBatch {
  std::string batch_id;
  std::string game_date;
  std::int64_t starters = 0;  ///< announced for that day
  std::int64_t predicted = 0;
  std::int64_t rows = 0;
  std::map<std::string, std::int64_t> skipped;  ///< by reason
};
[[nodiscard]] std::string to_json(const MlbBatch& batch);

/// Strikeouts of starting pitchers: one on request, or all of a date into predictions at once.
/// Threads: any; what it is given outlives it.
class MlbWorker {
 public:
  explicit MlbWorker(MlbWorkerDeps deps) : deps_(std::move(deps)) {}
  /// Answers, writes nothing. Errors: as Predictor.
  Result<PredictOutcome> predict(const PitcherRequest& request, Deadline deadline);
  /// All starters of the date, in one transaction. Errors: not_found when none is announced; unavailable when a
  /// transient reason stopped it: then nothing was written.
  Result<MlbBatch> predict_batch(const DateRequest& request, Deadline deadline);

 private:
  MlbWorkerDeps deps_;
};

}  // namespace serin::fleet
