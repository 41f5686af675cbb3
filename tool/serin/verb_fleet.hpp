#pragma once
#include "real_context.hpp"

namespace serin::tool {

/// up, status, down, and the hidden `agent` that `up` starts in the background.
void add_fleet_verbs(CLI::App& app, RealContext& context);

}  // namespace serin::tool
