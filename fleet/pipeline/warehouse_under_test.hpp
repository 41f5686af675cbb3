#pragma once
#include <memory>

#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

/// An empty warehouse: each test program links one kind. \param clock  outlives it
std::unique_ptr<Sql> warehouse_under_test(Clock& clock);

}  // namespace serin::fleet
