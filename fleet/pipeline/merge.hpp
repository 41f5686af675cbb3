#pragma once
#include <cstdint>
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

struct MergeReport {
  std::int64_t rows = 0;  ///< taken out of the staging table
  std::int64_t left = 0;  ///< of the date, arrived after the merge had begun: the next run's
};

/// Moves the staging rows of a date into predictions, in one transaction that also checks the fencing token: whoever
/// holds an older token than the last merge of the date writes nothing.
///
/// \param token  of the lease on the date's merge; grows with every holder
/// Errors: conflict (fenced off), as Sql. Threads: any.
Result<MergeReport> merge_staging_rows(Sql& sql, const std::string& game_date, std::int64_t token, Deadline deadline);

}  // namespace serin::fleet
