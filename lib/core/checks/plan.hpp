#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/checks/check.hpp"
#include "serin/checks/dialect.hpp"
#include "serin/ports/scan.hpp"

namespace serin::checks {

/// One thing to count on a pass over a table, and of which expression.
struct PlannedTerm {
  scan::Term term = {};
  std::string expression = {};  ///< empty for rows
};

/// Everything that one pass over (table, where, group_by) counts, for all checks that ask for it.
struct Scan {
  std::string table = {};
  std::string where = {};  ///< parameters filled in
  std::vector<std::string> group_by = {};
  std::vector<PlannedTerm> terms = {};  ///< the first counts rows
  bool stable = true;                   ///< the rows that are meant do not depend on a parameter such as today
  struct Use {
    std::size_t check = 0;                ///< position in the file
    std::vector<std::size_t> terms = {};  ///< of its own, without rows
  };
  std::vector<Use> uses = {};
};

struct Plan {
  std::vector<Scan> scans = {};
  std::vector<std::size_t> alone = {};             ///< checks with a query of their own
  std::map<std::size_t, std::string> broken = {};  ///< checks that cannot be planned, and why
};

struct PlanOptions {
  std::map<std::string, std::string> parameters = {};  ///< today, yesterday, and those of the user
  std::int64_t now_s = 0;                              ///< seconds since 1970
};

/// Fuses the checks into as few passes as there are different (table, where, group_by). Pure.
[[nodiscard]] Plan make_plan(const CheckFile& file, std::span<const std::size_t> chosen, const Dialect& dialect,
                             const PlanOptions& options);

/// " FROM table AS t WHERE ...", with one more condition when it is not empty.
[[nodiscard]] std::string from_where(const Dialect& dialect, std::string_view table, std::string_view where,
                                     std::string_view more = {});
enum class ScanForm : std::uint8_t { portable, native };
/// The statement of a scan; groups come first in its columns. `more` restricts it to a part of the rows.
[[nodiscard]] std::string scan_sql(const Scan& scan, const Dialect& dialect, ScanForm form, std::string_view more = {});
/// The states of one row of its answer. Errors: data_loss.
[[nodiscard]] Result<std::vector<scan::State>> read_states(const Scan& scan, ScanForm form, const SqlRow& row);

/// The statement of a check that is alone. Errors: invalid_argument (a parameter without a value).
[[nodiscard]] Result<std::string> own_sql(const Check& check, const Dialect& dialect, const PlanOptions& options);
/// The condition under which a row is one of the check's bad ones; empty when bad rows cannot be shown.
[[nodiscard]] Result<std::string> bad_row(const Check& check, const Dialect& dialect, const PlanOptions& options);

}  // namespace serin::checks
