#pragma once
#include "real_context.hpp"

namespace serin::tool {

/// `serin smoke`.
void add_smoke_verb(CLI::App& app, RealContext& context);

}  // namespace serin::tool
