#pragma once
#include <string>
#include <vector>

#include "serin/guard/recorders.hpp"

namespace serin::guard {

/// What a program knows of everything it calls.
struct NamedState {
  std::string name;
  TargetState state;
};
/// {"targets": [{"name", "breaker", "override", "calls", "failures", "slow", "rejected", "opened", "open_for_seconds",
/// "budget_left", "inside", "waiting", "most_at_once", "rate_left"}]}: what GET /resilience answers and `serin
/// resilience` reads. "rejected" counts all limits; null: the target's policy does not have it. Pure.
[[nodiscard]] std::string to_json(const std::vector<NamedState>& states);

}  // namespace serin::guard
