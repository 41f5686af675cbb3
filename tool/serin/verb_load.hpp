#pragma once
#include "verb.hpp"

namespace serin::tool {

/// `serin load URL`: steady traffic and an honest count of failures.
void add_load_verb(CLI::App& app, VerbContext& context);

}  // namespace serin::tool
