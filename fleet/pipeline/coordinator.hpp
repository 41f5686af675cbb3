#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/fleet_pipeline/batch.hpp"
#include "serin/fleet_pipeline/events.hpp"
#include "serin/fleet_pipeline/requests.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/documents.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

struct CoordinatorDeps {
  Sql& sql;
  Bus& bus;
  Documents& documents;
  Sleeper& sleeper;
  Random& random;
  Logger logger;
  std::string holder;  ///< names this process in leases: the replica's name
};
struct CoordinatorOptions {
  std::size_t publish_batch = 100;  ///< messages a publish; >= 1
  Duration merge_lease = 60s;       ///< how long one merge may take before another coordinator may try; > 0
  StallOptions stall;
};

struct Started {
  std::string batch_id;
  std::int64_t total_requests = 0;
  std::int64_t published = 0;
};
[[nodiscard]] std::string to_json(const Started& started);

/// What check_stalled() did.
struct StallReport {
  std::int64_t checked = 0;          ///< active batches
  std::int64_t recovered = 0;        ///< completions that had been lost
  std::vector<std::string> closed;   ///< batch ids, also those that failed
  std::vector<std::string> resumed;  ///< batches whose publisher or merger had died
  std::vector<std::string> swept;    ///< dates whose late rows were merged
  std::vector<std::string> errors;   ///< of single batches; the others were looked at
};
[[nodiscard]] std::string to_json(const StallReport& report);

/// Runs the batches of predictions: one document a batch, changed by compare-and-set only, so that any number of
/// coordinators may run and any of them may die at any moment. Threads: any; what it is given outlives it.
class Coordinator {
 public:
  explicit Coordinator(CoordinatorDeps deps, CoordinatorOptions options = {})
      : deps_(std::move(deps)), options_(options) {}

  /// Starts the batch of a date. \param cause  run_id of the event that asked; empty: a person did
  /// Errors: not_found (no eligible player), conflict (one is running, or this cause has started one before).
  Result<Started> start(const StartRequest& request, std::string_view cause, Deadline deadline);
  /// Counts one player; closes the batch when it was the last. Counting again is fine.
  /// Errors: transient ones: deliver the completion again.
  Status complete(const PredictionReady& event, Deadline deadline);
  /// Looks after batches that do not move: counts completions that were lost, closes those old enough with enough in,
  /// finishes what a dead coordinator began, merges rows that came after their batch had closed.
  Result<StallReport> check_stalled(const StallRequest& request, Deadline deadline);
  /// Errors: not_found.
  Result<Batch> status(std::string_view batch_id, Deadline deadline);
  /// Newest first, at most `most`; of one date when it is not empty.
  Result<std::vector<Batch>> batches(std::string_view game_date, std::size_t most, Deadline deadline);

 private:
  struct Stored {
    Batch batch;
    std::int64_t version = 0;
  };
  /// What a change of a batch came to. `write` false: leave the document as it is.
  struct Change {
    bool write = false;
  };
  Result<std::optional<Stored>> load(std::string_view batch_id, Deadline deadline);
  template <class Edit>
  Result<std::optional<Batch>> change(std::string_view batch_id, Deadline deadline, Edit edit);
  Result<Batch> elect(const StartRequest& request, std::string_view cause, std::set<std::string> players,
                      Deadline deadline);
  Result<std::int64_t> publish(const Batch& batch, Deadline deadline);
  Status close(const std::string& batch_id, const std::string& game_date, Deadline deadline);
  Status sweep(const std::string& game_date, Deadline deadline);
  Result<std::int64_t> recover(const Batch& batch, Deadline deadline);
  Status look_after(const Batch& listed, const StallOptions& options, StallReport& report, Deadline deadline);

  CoordinatorDeps deps_;
  CoordinatorOptions options_;
};

}  // namespace serin::fleet
