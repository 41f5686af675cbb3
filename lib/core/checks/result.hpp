#pragma once
#include <optional>
#include <string>
#include <vector>

#include "serin/base/time.hpp"
#include "serin/checks/check.hpp"

namespace serin::checks {

/// Bad rows, so that somebody can look at them: not more than the check allows, and how many there are in truth.
struct SampleRows {
  std::vector<std::string> columns = {};
  std::vector<std::vector<std::string>> rows = {};
  std::int64_t total = 0;  ///< bad rows, shown or not
};
/// One group of a check with group_by.
struct GroupResult {
  std::string group = {};  ///< "team=BOS, sport=nba"
  Outcome outcome = Outcome::error;
  std::optional<double> value = {};
  std::string reason = {};
};

struct CheckResult {
  std::string id = {};
  std::string name = {};
  std::string table = {};
  CheckType type = CheckType::row_count;
  Outcome outcome = Outcome::error;
  std::optional<double> value = {};    ///< what was compared with the limits; kept whatever the outcome is
  std::optional<double> percent = {};  ///< of rows
  std::optional<double> metric = {};   ///< what was measured; differs from value for change and anomaly
  std::int64_t rows = 0;               ///< looked at
  std::string limits = {};
  std::string reason = {};
  std::vector<GroupResult> groups = {};  ///< those that did not pass, at most 20
  SampleRows samples = {};
  Duration took = {};  ///< of the statement; checks of one scan share it
  std::string sql = {};
  std::string owner = {};
  std::vector<std::string> tags = {};
  int line = 0;
  int column = 0;
};

/// What one run found.
struct CheckReport {
  std::string run_id = {};
  std::string file = {};
  WallTime at = {};
  Duration took = {};
  std::vector<CheckResult> results = {};  ///< in the order of the file
  std::int64_t queries = 0;               ///< sent to the database
  std::int64_t rows_read = 0;             ///< by scans; incremental runs read only new rows
  std::int64_t scans = 0;                 ///< passes over a table, however many checks they served
  [[nodiscard]] int count(Outcome outcome) const noexcept;
  /// The worst of all; error when there is no result.
  [[nodiscard]] Outcome worst() const noexcept;
};

}  // namespace serin::checks
