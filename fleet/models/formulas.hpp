#pragma once
#include "serin/fleet_models/features.hpp"
#include "serin/fleet_models/parameters.hpp"

// The models themselves: features in, a value out. Private to the module. Pure; features hold at least one game.
namespace serin::fleet {

[[nodiscard]] double moving_average(const Features& features, const MovingAverageParameters& p);
[[nodiscard]] double opponent_adjusted(const Features& features, const OpponentAdjustedParameters& p);
[[nodiscard]] double similarity(const Features& features, const SimilarityParameters& p);
/// How far apart the player's games are, as a standard deviation; never 0.
[[nodiscard]] double spread_of(const Features& features);

}  // namespace serin::fleet
