#pragma once
#include "real_context.hpp"

namespace serin::tool {

/// `serin resilience`: the breakers, budgets and bulkheads of every replica, as they are now.
void add_resilience_verb(CLI::App& app, RealContext& context);

}  // namespace serin::tool
