#pragma once
#include "real_context.hpp"

namespace serin::tool {

/// \param app, context  outlive the parsing
void add_plan_verb(CLI::App& app, RealContext& context);

}  // namespace serin::tool
