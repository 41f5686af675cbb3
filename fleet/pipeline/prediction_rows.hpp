#pragma once
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/fleet_pipeline/predictor.hpp"
#include "serin/ports/sql.hpp"

// Private to the module: how predictions become rows.
namespace serin::fleet {

struct PredictionRows {
  std::string batch_id;
  std::string model_version;
  Sport sport = Sport::nba;
  WallTime now{};
};

enum class PredictionTable : std::uint8_t { staging, predictions };
/// One statement and its parameters for all predictions of a player. Writing the same again replaces the same rows;
/// in `predictions` an older prediction never replaces a newer one.
struct PredictionInsert {
  std::string sql;
  SqlRow parameters;
};
[[nodiscard]] PredictionInsert insert_of(PredictionTable table, const PlayerPredictions& made,
                                         const PredictionRows& how);

/// Moves every row of the date that is in the staging table into predictions: the statements of one merge. $1: the
/// date, $2: the highest staging_id that takes part.
extern const std::string_view merge_staging;
extern const std::string_view erase_merged;

}  // namespace serin::fleet
