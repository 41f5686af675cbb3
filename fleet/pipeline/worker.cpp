#include "serin/fleet_pipeline/worker.hpp"

#include <fmt/format.h>

#include "prediction_rows.hpp"

namespace serin::fleet {
namespace {

/// The write ran into time or a busy database: come again.
std::unexpected<Error> transient(SkipReason reason, const Error& error) {
  return fail(Errc::unavailable, fmt::format("{}: {}", skip_reason_name(reason), error.detail()));
}

}  // namespace

Result<WorkDone> Worker::work(const PredictionRequest& request, Deadline deadline) {
  SERIN_TRY(const PredictOutcome outcome, deps_.predictor.predict({.player_id = request.player_id,
                                                                   .game_date = request.game_date,
                                                                   .game_id = request.game_id,
                                                                   .line = request.line},
                                                                  deadline));
  if (outcome.skip) {
    const std::string reason(skip_reason_name(outcome.skip->reason));
    if (is_permanent(outcome.skip->reason)) return WorkDone{.outcome = Outcome::skipped, .reason = reason};
    return fail(Errc::unavailable, reason + ": " + outcome.skip->detail);
  }
  const PredictionInsert insert = insert_of(PredictionTable::staging, outcome.made,
                                            {.batch_id = request.batch_id,
                                             .model_version = deps_.predictor.models().version(),
                                             .sport = deps_.predictor.sport(),
                                             .now = deps_.clock.wall()});
  const auto written = deps_.sql.execute(insert.sql, insert.parameters, deadline);
  if (!written && is_transient(written.error().code()))
    return transient(SkipReason::warehouse_timeout, written.error());
  if (!written) return pass(written.error());
  for (const std::string& model : outcome.made.failed)
    deps_.logger.warn("model_failed", {{"model", model}, {"player_id", request.player_id}});
  return WorkDone{.rows = static_cast<std::int64_t>(outcome.made.predictions.size())};
}

Result<WorkDone> Worker::handle(const PredictionRequest& request, Deadline deadline) {
  SERIN_TRY(WorkDone done, work(request, deadline));
  if (done.outcome == Outcome::skipped) {
    deps_.logger.info("player_skipped",
                      {{"batch_id", request.batch_id}, {"player_id", request.player_id}, {"reason", done.reason}});
  }
  const PredictionReady ready{.batch_id = request.batch_id,
                              .player_id = request.player_id,
                              .outcome = done.outcome,
                              .reason = done.reason,
                              .rows = done.rows};
  const auto published = deps_.bus.publish(topic::prediction_ready, {to_message(ready)}, deadline);
  if (!published && published.error().code() == Errc::rejected)
    return transient(SkipReason::rate_limited, published.error());
  if (!published) return pass(published.error().in("report completion"));
  return done;
}

}  // namespace serin::fleet
