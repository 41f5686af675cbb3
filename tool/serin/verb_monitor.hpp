#pragma once
#include "verb.hpp"

namespace serin::tool {

/// `serin monitor generate|check|test|plan|apply`: rules, routes and dashboards from one catalogue.
/// \param app, context  outlive the parsing
void add_monitor_verbs(CLI::App& app, VerbContext& context);

}  // namespace serin::tool
