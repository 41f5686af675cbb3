#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "serin/checks/check.hpp"
#include "serin/checks/dialect.hpp"
#include "serin/checks/plan.hpp"
#include "serin/checks/result.hpp"
#include "serin/checks/store.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

namespace serin::checks {

struct RunOptions {
  std::string run_id = {};
  std::map<std::string, std::string> parameters =
      {};                                ///< for :name in SQL; today and yesterday (UTC) are there already
  std::vector<std::string> tables = {};  ///< only checks of these; none: of all
  std::vector<std::string> tags = {};    ///< only checks with one of these; none: all
  std::vector<std::string> names = {};   ///< only checks of these names; none: all
  bool incremental = false;              ///< read only new rows of tables that say what they grow by; needs a store
  int threads = 1;                       ///< 1 to 16: parts of such a table that are read at once
  Deadline deadline = Deadline::never();
  /// Called before each statement that may take long, on the caller's thread.
  std::function<void(std::size_t done, std::size_t total, std::string_view what)> progress = {};
};

/// Which checks the options choose, by position.
[[nodiscard]] std::vector<std::size_t> choose(const CheckFile& file, const RunOptions& options);
/// Parameters with today and yesterday, unless they are given, and the time of the run.
[[nodiscard]] PlanOptions plan_options(const RunOptions& options, WallTime now);

/// Runs the chosen checks. A check that cannot be evaluated has the outcome error and stops no other one.
/// \param store  of earlier results; may be null: then changes and anomalies are not evaluated. Nothing is saved.
/// Errors: invalid_argument when no check is chosen or an option is out of range.
[[nodiscard]] Result<CheckReport> run_checks(const CheckFile& file, Sql& sql, const Dialect& dialect,
                                             const Clock& clock, ResultStore* store, const RunOptions& options);

/// The statements that a run would send and the checks that each of them serves, for people.
[[nodiscard]] Result<std::string> explain_checks(const CheckFile& file, const Sql& sql, const Dialect& dialect,
                                                 WallTime now, const RunOptions& options);

}  // namespace serin::checks
