#pragma once
#include "real_context.hpp"

namespace serin::tool {

/// deploy, rollback, resume and history: everything that moves traffic, and what was moved.
void add_deploy_verbs(CLI::App& app, RealContext& context);

}  // namespace serin::tool
