#include "serin/fleet_models/skip.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "serin/base/error.hpp"

namespace serin::fleet {
namespace {
constexpr std::array all = {SkipReason::no_features,     SkipReason::player_not_found, SkipReason::game_not_found,
                            SkipReason::player_inactive, SkipReason::no_history,       SkipReason::warehouse_timeout,
                            SkipReason::rate_limited,    SkipReason::breaker_open};
}

std::string_view skip_reason_name(SkipReason reason) noexcept {
  switch (reason) {
    case SkipReason::no_features: return "no_features";
    case SkipReason::player_not_found: return "player_not_found";
    case SkipReason::game_not_found: return "game_not_found";
    case SkipReason::player_inactive: return "player_inactive";
    case SkipReason::no_history: return "no_history";
    case SkipReason::warehouse_timeout: return "warehouse_timeout";
    case SkipReason::rate_limited: return "rate_limited";
    case SkipReason::breaker_open: return "breaker_open";
  }
  std::unreachable();
}

Result<SkipReason> parse_skip_reason(std::string_view name) {
  for (const SkipReason reason : all)
    if (skip_reason_name(reason) == name) return reason;
  return fail(Errc::invalid_argument, fmt::format("\"{}\" is not a skip reason", name));
}

bool is_permanent(SkipReason reason) noexcept {
  switch (reason) {
    case SkipReason::no_features:
    case SkipReason::player_not_found:
    case SkipReason::game_not_found:
    case SkipReason::player_inactive:
    case SkipReason::no_history: return true;
    case SkipReason::warehouse_timeout:
    case SkipReason::rate_limited:
    case SkipReason::breaker_open: return false;
  }
  std::unreachable();
}

}  // namespace serin::fleet
