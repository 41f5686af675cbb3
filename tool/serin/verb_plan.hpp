#pragma once
#include "verb.hpp"

namespace serin::tool {

/// \param app, context  outlive the parsing
void add_plan_verb(CLI::App& app, VerbContext& context);

}  // namespace serin::tool
