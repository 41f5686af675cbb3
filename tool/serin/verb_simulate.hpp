#pragma once
#include "verb.hpp"

namespace serin::tool {

/// Adds simulate and compare to `serin judge`. \param judge, context  outlive the parsing
void add_simulate_verbs(CLI::App& judge, VerbContext& context);

}  // namespace serin::tool
