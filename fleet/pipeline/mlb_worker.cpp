#include "serin/fleet_pipeline/mlb_worker.hpp"

#include <fmt/format.h>

#include <vector>

#include "cells.hpp"
#include "json.hpp"
#include "prediction_rows.hpp"
#include "serin/fleet_pipeline/processing.hpp"

namespace serin::fleet {
namespace json = boost::json;

std::string to_json(const MlbBatch& batch) {
  json::object skipped;
  for (const auto& [reason, number] : batch.skipped) skipped[reason] = number;
  return json::serialize(json::object{{"batch_id", batch.batch_id},
                                      {"game_date", batch.game_date},
                                      {"starters", batch.starters},
                                      {"predicted", batch.predicted},
                                      {"rows", batch.rows},
                                      {"skipped", std::move(skipped)}});
}

Result<PredictOutcome> MlbWorker::predict(const PitcherRequest& request, Deadline deadline) {
  return deps_.predictor.predict({.player_id = request.pitcher, .game_date = request.game_date, .line = request.line},
                                 deadline);
}

Result<MlbBatch> MlbWorker::predict_batch(const DateRequest& request, Deadline deadline) {
  SERIN_TRY(const SqlTable starters, deps_.sql.query(R"sql(
SELECT player_id, game_id FROM upcoming_player_game_context WHERE game_date = $1 AND sport = 'mlb'
ORDER BY player_id, game_id)sql",
                                                     {request.game_date}, deadline));
  if (starters.rows.empty()) return fail(Errc::not_found, "no starting pitcher is announced for " + request.game_date);
  MlbBatch batch{.batch_id = new_run_id("mlb-" + request.game_date, deps_.random), .game_date = request.game_date};
  batch.starters = static_cast<std::int64_t>(starters.rows.size());
  std::vector<PlayerPredictions> made;
  for (const SqlRow& row : starters.rows) {
    Cells cells(row);
    const std::string player = cells.text();
    const std::string game = cells.text();
    SERIN_CHECK(cells.done());
    SERIN_TRY(
        PredictOutcome outcome,
        deps_.predictor.predict({.player_id = player, .game_date = request.game_date, .game_id = game}, deadline));
    if (!outcome.skip) {
      made.push_back(std::move(outcome.made));
      continue;
    }
    const std::string reason(skip_reason_name(outcome.skip->reason));
    if (!is_permanent(outcome.skip->reason)) return fail(Errc::unavailable, reason + ": " + outcome.skip->detail);
    ++batch.skipped[reason];
  }
  const PredictionRows how{.batch_id = batch.batch_id,
                           .model_version = deps_.predictor.models().version(),
                           .sport = Sport::mlb,
                           .now = deps_.clock.wall()};
  SERIN_CHECK(deps_.sql.transaction(
      [&](SqlSession& session) -> Status {
        for (const PlayerPredictions& player : made) {
          const PredictionInsert insert = insert_of(PredictionTable::predictions, player, how);
          SERIN_TRY([[maybe_unused]] const std::int64_t written, session.execute(insert.sql, insert.parameters));
          batch.rows += static_cast<std::int64_t>(player.predictions.size());
        }
        return {};
      },
      deadline));
  batch.predicted = static_cast<std::int64_t>(made.size());
  deps_.logger.info("mlb_batch", {{"batch_id", batch.batch_id}, {"predicted", batch.predicted}});
  return batch;
}

}  // namespace serin::fleet
