#pragma once
#include "serin/watch/spec.hpp"
#include "serin/watch/store.hpp"

namespace serin::watch {

/// What a run changes: the counts, and whether an incident begins, changes or ends. Pure.
/// \param state  before the run; `took`, `said` and `missed` stand in the result
[[nodiscard]] Step step_of(CheckState state, const WatchItem& item, RunResult result);

}  // namespace serin::watch
