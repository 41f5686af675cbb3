#include "serin/fleet_pipeline/predictor.hpp"

#include <fmt/format.h>

#include "cells.hpp"
#include "json.hpp"
#include "serin/fleet_pipeline/definitions.hpp"

namespace serin::fleet {
namespace json = boost::json;
namespace {

constexpr std::string_view first_game = R"sql(
SELECT features FROM ml_feature_store WHERE player_id = $1 AND game_date = $2 ORDER BY game_id LIMIT 1)sql";
constexpr std::string_view named_game = R"sql(
SELECT f.features, c.status FROM ml_feature_store f
LEFT JOIN upcoming_player_game_context c ON c.player_id = f.player_id AND c.game_id = f.game_id
WHERE f.player_id = $1 AND f.game_date = $2 AND f.game_id = $3)sql";
constexpr std::string_view known = R"sql(
SELECT EXISTS(SELECT 1 FROM players WHERE player_id = $1),
       EXISTS(SELECT 1 FROM games WHERE game_date = $2 AND ($3 = '' OR game_id = $3)))sql";

PredictOutcome skipped(SkipReason reason, std::string detail) {
  return {.skip = Skip{.reason = reason, .detail = std::move(detail)}};
}

bool is_warehouse_away(const Error& error) {
  return error.code() == Errc::deadline_exceeded || error.code() == Errc::unavailable;
}

/// A season of a player who does not exist, for self_test.
Features trial_features(Sport sport) {
  Features features{.sport = sport, .player_id = "trial", .game_id = "trial", .date = 20'000};
  features.season_games = features.career_games = 20;
  features.season_mean = features.career_mean = features.league_mean = sport == Sport::nba ? 15 : 8;
  features.season_minutes = features.career_minutes = sport == Sport::nba ? 30 : 9;
  features.rest_days = 2;
  for (int back = 1; back <= 20; ++back) {
    features.recent.push_back({.date = 20'000 - 2 * back,
                               .rest_days = 2,
                               .minutes = features.season_minutes,
                               .value = features.season_mean + back % 3 - 1});
  }
  features.completeness = 1;
  features.quality = 100;
  return features;
}

}  // namespace

Predictor::Predictor(Sql& sql, Clock& clock, const ModelSet& models, Sport sport, ConsecutiveBreakerOptions breaker)
    : sql_(sql), clock_(clock), models_(models), sport_(sport) {
  for (auto& slot : breakers_) slot = std::make_unique<ConsecutiveBreaker>(breaker);
}

Result<SqlTable> Predictor::load(const PredictAsk& ask, Deadline deadline) {
  const SqlValue player = sql_text(ask.player_id);
  const SqlValue date = sql_text(ask.game_date);
  if (ask.game_id.empty()) return sql_.query(first_game, {player, date}, deadline);
  return sql_.query(named_game, {player, date, sql_text(ask.game_id)}, deadline);
}

Result<Skip> Predictor::why_not(const PredictAsk& ask, Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query(known, {sql_text(ask.player_id), sql_text(ask.game_date), sql_text(ask.game_id)}, deadline));
  Cells cells(table.rows.at(0));
  const bool player = cells.whole() != 0;
  const bool game = cells.whole() != 0;
  SERIN_CHECK(cells.done());
  if (!player) return Skip{SkipReason::player_not_found, fmt::format("no player '{}'", ask.player_id)};
  if (!game) return Skip{SkipReason::game_not_found, fmt::format("no game '{}' on {}", ask.game_id, ask.game_date)};
  return Skip{SkipReason::no_features, fmt::format("no features of '{}' on {}", ask.player_id, ask.game_date)};
}

Result<PredictOutcome> Predictor::predict(const PredictAsk& ask, Deadline deadline) {
  auto table = load(ask, deadline);
  if (!table && is_warehouse_away(table.error())) return skipped(SkipReason::warehouse_timeout, table.error().detail());
  if (!table) return pass(std::move(table).error());
  if (table->rows.empty()) {
    auto skip = why_not(ask, deadline);
    if (!skip && is_warehouse_away(skip.error())) return skipped(SkipReason::warehouse_timeout, skip.error().detail());
    if (!skip) return pass(std::move(skip).error());
    return PredictOutcome{.skip = std::move(*skip)};
  }
  const SqlRow& row = table->rows[0];
  const auto* text = std::get_if<std::string>(&row.at(0));
  if (text == nullptr) return fail(Errc::data_loss, "features are no text");
  if (row.size() > 1 && row[1] == SqlValue(std::string("out")))
    return skipped(SkipReason::player_inactive, fmt::format("'{}' is out", ask.player_id));
  SERIN_TRY(const Features features, parse_features(*text));
  if (features.sport != sport_)
    return skipped(SkipReason::player_not_found, fmt::format("'{}' plays another sport", ask.player_id));
  if (features.career_games < eligible_history)
    return skipped(SkipReason::no_history, fmt::format("{} games before", features.career_games));
  return run_models(features, ask);
}

Result<PredictOutcome> Predictor::run_models(const Features& features, const PredictAsk& ask) {
  PredictOutcome outcome;
  outcome.made = {
      .player_id = features.player_id, .game_id = features.game_id, .game_date = std::string(ask.game_date)};
  const Instant now = clock_.now();
  std::optional<Error> last_error;
  for (std::size_t i = 0; i < ModelSet::names.size(); ++i) {
    if (!breakers_[i]->allow(now)) {
      outcome.made.failed.emplace_back(ModelSet::names[i]);
      continue;
    }
    auto prediction = models_.predict(ModelSet::names[i], features, ask.line);
    if (prediction) {
      breakers_[i]->succeeded();
      outcome.made.predictions.push_back(std::move(*prediction));
    } else {
      breakers_[i]->failed(now);
      outcome.made.failed.emplace_back(ModelSet::names[i]);
      last_error = std::move(prediction).error();
    }
  }
  if (!outcome.made.predictions.empty()) return outcome;
  if (!last_error) return skipped(SkipReason::breaker_open, "all models failed lately and are left alone");
  return fail(Errc::internal, "every model failed: " + last_error->text());
}

Status Predictor::self_test() const {
  const Features features = trial_features(sport_);
  for (const std::string_view model : ModelSet::names) {
    if (auto prediction = models_.predict(model, features, 10.5); !prediction)
      return pass(prediction.error().in(fmt::format("model {}", model)));
  }
  return {};
}

std::vector<std::string> Predictor::open_breakers() const {
  std::vector<std::string> open;
  const Instant now = clock_.now();
  for (std::size_t i = 0; i < breakers_.size(); ++i) {
    if (breakers_[i]->is_open(now)) open.emplace_back(ModelSet::names[i]);
  }
  return open;
}

std::string to_json(const PlayerPredictions& made, std::string_view model_version) {
  json::array predictions;
  for (const Prediction& prediction : made.predictions) {
    predictions.push_back(json::object{{"system_id", prediction.model},
                                       {"predicted", prediction.value},
                                       {"confidence", prediction.confidence},
                                       {"recommendation", recommendation_name(prediction.recommendation)},
                                       {"line", prediction.line}});
  }
  json::object object = {{"player_id", made.player_id},
                         {"game_id", made.game_id},
                         {"game_date", made.game_date},
                         {"model_version", model_version},
                         {"predictions", std::move(predictions)}};
  if (!made.failed.empty()) object["failed_models"] = json::value_from(made.failed);
  return json::serialize(object);
}

std::string to_json(const Skip& skip) {
  return json::serialize(json::object{
      {"skipped", skip_reason_name(skip.reason)}, {"detail", skip.detail}, {"permanent", is_permanent(skip.reason)}});
}

}  // namespace serin::fleet
