#pragma once
#include "verb.hpp"

namespace serin::tool {

/// `serin drill`: stages a failure on a fleet of its own and says what held.
void add_drill_verb(CLI::App& app, VerbContext& context);

}  // namespace serin::tool
