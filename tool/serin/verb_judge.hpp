#pragma once
#include "verb.hpp"

namespace serin::tool {

/// `serin judge replay FILE`: the rollout's judge on recorded counts.
void add_judge_verbs(CLI::App& app, VerbContext& context);

}  // namespace serin::tool
