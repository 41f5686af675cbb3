#pragma once
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

namespace serin::probes {

struct SqlOptions {
  std::string statement = "SELECT 1";  ///< read-only, cheap; must return a row
  bool quick_check = false;            ///< SQLite: reads the whole file for damage instead; minutes apart, please
};
/// Whether a database answers, over the pool that requests use. Ends at the deadline as far as the database does; a
/// stop is seen before it asks. Down when not. Errors: invalid_argument. \param sql  outlives the check
Result<health::CheckFunction> sql_check(SqlOptions options, Sql& sql);

struct ValidationOptions {
  Duration look_back = 24h;   ///< results that count; > 0, at most 366 days
  Duration max_age = 24h;     ///< of the last run; older is unknown; > 0, at most look_back
  bool fail_is_down = false;  ///< a failed validation is down, not only degraded
};
/// What the validations of the data said: the worst outcome of the look-back, in validation_results(run_id, check_id,
/// outcome, value, limits, rows, at in ms since 1970). Outcomes: pass; warn: degraded; fail: degraded or down; any
/// other word is unknown. No run in time is unknown, however good the last one was. Errors: invalid_argument. \param
/// sql, clock  outlive the check
Result<health::CheckFunction> validation_check(ValidationOptions options, Sql& sql, const Clock& clock);

}  // namespace serin::probes
