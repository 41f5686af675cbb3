#pragma once
#include "verb.hpp"

namespace serin::tool {

/// `serin demo`: the fleet, a season, a good release and a bad one, and a report.
void add_demo_verb(CLI::App& app, VerbContext& context);

}  // namespace serin::tool
