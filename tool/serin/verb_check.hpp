#pragma once
#include "verb.hpp"

namespace serin::tool {

/// `serin check run|list|explain|history|baseline`: data checks of a file on a database.
void add_check_verbs(CLI::App& app, VerbContext& context);

}  // namespace serin::tool
