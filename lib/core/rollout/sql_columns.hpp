#pragma once
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/sql.hpp"

namespace serin::rollout {

/// Gives a table of an earlier version a column that it does not have yet; its rows have NULL there. Inside a write
/// transaction, so that two processes that begin at once do not both add it. SQLite only, as the control database is.
/// Errors: the session's.
Status ensure_column(SqlSession& session, std::string_view table, std::string_view column, std::string_view type);

}  // namespace serin::rollout
