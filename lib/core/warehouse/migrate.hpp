#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

namespace serin::warehouse {

/// One step from one version of a schema to the next. Once released it is never changed, only followed by another.
struct Migration {
  std::string_view name;
  std::vector<std::string_view> statements;
};

/// Brings the component's tables to the newest step: each step in one transaction, each once, whoever else does the
/// same at the same time. A database that is newer, or whose steps were changed, is refused: two programs of different
/// age would write to tables that they do not understand. Errors: conflict (a step's content or name differs from the
/// one that was applied; the database has more steps than this program knows), whatever the database answers.
Status migrate(Sql& sql, std::string_view component, std::span<const Migration> steps, const Clock& clock,
               Deadline deadline);

}  // namespace serin::warehouse
