#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "serin/checks/health_view.hpp"
#include "serin/checks/run.hpp"
#include "serin/checks/store.hpp"
#include "serin/metrics/metrics.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

struct ValidatorOptions {
  std::string file;                                    ///< "checks.yaml": where the text was read from
  std::string text;                                    ///< what stands in it
  checks::Engine engine = checks::Engine::sqlite;      ///< of the warehouse
  std::map<std::string, std::string> parameters = {};  ///< for :name in SQL; today and yesterday (UTC) are there
  std::string runner;                                  ///< who runs them; two that write to one store differ in it
  Duration every = 1min;                               ///< between two runs; > 0
};

/// A check file at work: each run is judged, remembered and counted; who asks later gets the last one. A validator that
/// stopped running is not healthy. Threads: any; runs take turns.
class Validator {
 public:
  /// Reads the file. \param warehouse, store, clock, metrics  outlive it
  /// Errors: invalid_argument with every mistake of the file, a line each; of the store's database.
  static Result<std::unique_ptr<Validator>> make(ValidatorOptions options, Sql& warehouse, Sql& store,
                                                 const Clock& clock, metrics::Registry& metrics, const Logger& logger);
  /// One run now, remembered for 30 days. Errors: what kept it from running; the log has it too.
  Status run(Deadline deadline);
  /// What the last run of this program found, as `serin check run --format json` prints it; empty before the first.
  [[nodiscard]] std::string last_report() const;
  /// For health: the latest result of each check; a failed one degrades, three periods without a run are unknown.
  [[nodiscard]] health::CheckFunction health_check() const;
  [[nodiscard]] Duration every() const noexcept { return options_.every; }

 private:
  Validator(ValidatorOptions options, Sql& warehouse, const Clock& clock, metrics::Registry& metrics,
            const Logger& logger)
      : options_(std::move(options)), warehouse_(warehouse), clock_(clock), metrics_(metrics), logger_(logger) {}
  ValidatorOptions options_;
  checks::CheckFile file_;
  std::unique_ptr<checks::ResultStore> store_;
  Sql& warehouse_;
  const Clock& clock_;
  metrics::Registry& metrics_;
  Logger logger_;
  std::mutex running_;  // one run at a time
  mutable std::mutex mutex_;
  std::string last_report_;  // guarded by mutex_
};

}  // namespace serin::fleet
