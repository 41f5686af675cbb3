#pragma once
#include "real_context.hpp"

namespace serin::tool {

/// `serin health` and `serin conformance`.
void add_health_verbs(CLI::App& app, RealContext& context);

}  // namespace serin::tool
