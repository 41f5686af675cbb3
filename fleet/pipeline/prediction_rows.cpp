#include "prediction_rows.hpp"

#include <fmt/format.h>

#include "cells.hpp"

namespace serin::fleet {
namespace {
constexpr std::string_view columns =
    "prediction_id, batch_id, sport, system_id, player_id, game_id, game_date, predicted, confidence, recommendation, "
    "line, model_version, created_at";
constexpr std::string_view staging_conflict =
    " ON CONFLICT(prediction_id) DO UPDATE SET predicted = excluded.predicted, confidence = excluded.confidence, "
    "recommendation = excluded.recommendation, line = excluded.line, model_version = excluded.model_version, "
    "created_at = excluded.created_at";
constexpr std::string_view predictions_conflict =
    " ON CONFLICT(system_id, player_id, game_id) DO UPDATE SET prediction_id = excluded.prediction_id, "
    "batch_id = excluded.batch_id, game_date = excluded.game_date, predicted = excluded.predicted, "
    "confidence = excluded.confidence, recommendation = excluded.recommendation, line = excluded.line, "
    "model_version = excluded.model_version, created_at = excluded.created_at "
    "WHERE excluded.created_at >= predictions.created_at";
}  // namespace

// By age, so that of two rows for one prediction the younger one stands.
const std::string_view merge_staging = R"sql(
INSERT INTO predictions(prediction_id, batch_id, sport, system_id, player_id, game_id, game_date, predicted, confidence,
  recommendation, line, model_version, created_at)
SELECT prediction_id, batch_id, sport, system_id, player_id, game_id, game_date, predicted, confidence, recommendation,
  line, model_version, created_at FROM predictions_staging WHERE game_date = $1 AND staging_id <= $2
ORDER BY created_at, staging_id
ON CONFLICT(system_id, player_id, game_id) DO UPDATE SET prediction_id = excluded.prediction_id,
  batch_id = excluded.batch_id, game_date = excluded.game_date, predicted = excluded.predicted,
  confidence = excluded.confidence, recommendation = excluded.recommendation, line = excluded.line,
  model_version = excluded.model_version, created_at = excluded.created_at
WHERE excluded.created_at >= predictions.created_at)sql";
const std::string_view erase_merged = "DELETE FROM predictions_staging WHERE game_date = $1 AND staging_id <= $2";

PredictionInsert insert_of(PredictionTable table, const PlayerPredictions& made, const PredictionRows& how) {
  const bool staging = table == PredictionTable::staging;
  PredictionInsert insert;
  insert.sql = fmt::format("INSERT INTO {}({}) VALUES", staging ? "predictions_staging" : "predictions", columns);
  int number = 0;
  for (const Prediction& prediction : made.predictions) {
    insert.sql += number == 0 ? "(" : ",(";
    for (int column = 0; column < 13; ++column) insert.sql += fmt::format("{}${}", column == 0 ? "" : ",", ++number);
    insert.sql += ')';
    insert.parameters.insert(
        insert.parameters.end(),
        {fmt::format("{}:{}:{}", how.batch_id, made.player_id, prediction.model), how.batch_id,
         sql_text(sport_name(how.sport)), prediction.model, made.player_id, made.game_id, made.game_date,
         prediction.value, prediction.confidence, sql_text(recommendation_name(prediction.recommendation)),
         prediction.line, how.model_version, unix_ms(how.now)});
  }
  insert.sql += staging ? staging_conflict : predictions_conflict;
  return insert;
}

}  // namespace serin::fleet
