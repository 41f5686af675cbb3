#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serin/checks/judge.hpp"
#include "serin/checks/result.hpp"
#include "serin/ports/scan.hpp"
#include "serin/ports/sql.hpp"

namespace serin::checks {

/// A result as it is remembered.
struct StoredResult {
  std::string run_id = {};
  std::string check_id = {};
  std::string name = {};
  std::string table = {};
  Outcome outcome = Outcome::error;
  std::optional<double> value = {};
  std::optional<double> metric = {};
  std::int64_t rows = 0;
  std::string limits = {};
  std::string reason = {};
  WallTime at = {};
};
/// Where a term's count stands: all rows up to the key.
struct StoredState {
  std::int64_t high = 0;
  scan::State state = {};
};

/// Results of runs in tables named check_*. Threads: any, as its Sql.
class ResultStore {
 public:
  /// Makes the tables. \param sql  outlives it. Errors: of the database.
  static Result<std::unique_ptr<ResultStore>> open(Sql& sql, Deadline deadline);
  /// Keeps the report, and forgets what is older than `retention`, in one transaction. Errors: of the database.
  Status save(const CheckReport& report, Duration retention, Deadline deadline);
  /// Metrics of a check since its baseline, the oldest first, at most `most` of the newest. Errors: of the database.
  Result<std::vector<HistoryPoint>> metrics(const std::string& check_id, int most, Deadline deadline);
  /// The newest first; all checks when `check_id` is empty. Errors: of the database.
  Result<std::vector<StoredResult>> results(const std::string& check_id, WallTime since, int most, Deadline deadline);
  /// When a run ended last; nothing when none did. Errors: of the database.
  Result<std::optional<WallTime>> last_run(const std::string& file, Deadline deadline);
  /// Forgets the past of checks for comparisons: what comes from now on is the new normal. Returns how many had a past.
  /// Errors: of the database.
  Result<std::int64_t> set_baseline(const std::vector<std::string>& check_ids, WallTime now, Deadline deadline);
  /// Counts of the terms of a scan, by the terms' fingerprints. Errors: of the database, data_loss.
  Result<std::map<std::string, StoredState>> states(const std::string& scan, Deadline deadline);
  Status save_states(const std::string& scan, const std::map<std::string, StoredState>& states, Deadline deadline);

 private:
  explicit ResultStore(Sql& sql) : sql_(sql) {}
  Sql& sql_;
};

}  // namespace serin::checks
