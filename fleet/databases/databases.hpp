#pragma once
#include <memory>
#include <string>

#include "serin/base/error.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

/// The warehouse that a fleet's file names: "sqlite:PATH" or "postgres://user@host/database". \param clock  outlives it
/// Errors: invalid_argument (another scheme), and the database's own.
Result<std::unique_ptr<Sql>> open_warehouse(const std::string& url, Clock& clock);

}  // namespace serin::fleet
