#pragma once
#include <cstdint>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin::fleet {

/// Why a player got no prediction. A closed list: whoever meets another word treats it as an error.
enum class SkipReason : std::uint8_t {
  no_features,  ///< the feature store has no row
  player_not_found,
  game_not_found,
  player_inactive,
  no_history,  ///< fewer games than a model needs
  warehouse_timeout,
  rate_limited,
  breaker_open,
};
/// "no_features": stable, in messages and tables.
[[nodiscard]] std::string_view skip_reason_name(SkipReason reason) noexcept;
/// Errors: invalid_argument for a word that is not in the list.
Result<SkipReason> parse_skip_reason(std::string_view name);
/// Permanent: trying again changes nothing, so the message is acknowledged and reported as completed.
/// Otherwise transient: the message is to be delivered again.
[[nodiscard]] bool is_permanent(SkipReason reason) noexcept;

}  // namespace serin::fleet
