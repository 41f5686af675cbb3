#pragma once
#include "verb.hpp"

namespace serin::tool {

/// `serin emulate google`: Google's APIs on loopback.
void add_emulate_verb(CLI::App& app, VerbContext& context);

}  // namespace serin::tool
