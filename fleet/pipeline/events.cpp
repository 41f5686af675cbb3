#include "serin/fleet_pipeline/events.hpp"

#include <array>

#include "json.hpp"

namespace serin::fleet {
namespace json = boost::json;
namespace {
constexpr std::array outcomes = {Outcome::predicted, Outcome::skipped, Outcome::dead};
}

std::string_view outcome_name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::predicted: return "predicted";
    case Outcome::skipped: return "skipped";
    case Outcome::dead: return "dead";
  }
  return "dead";
}

BusMessage to_message(const PhaseComplete& event) {
  const json::object object = {{"game_date", event.game_date}, {"run_id", event.run_id}, {"partial", event.partial}};
  return {.data = json::serialize(object), .attributes = {{"game_date", event.game_date}}};
}

BusMessage to_message(const PredictionRequest& event) {
  json::object object = {{"batch_id", event.batch_id},
                         {"player_id", event.player_id},
                         {"game_id", event.game_id},
                         {"game_date", event.game_date}};
  if (event.line) object["line"] = *event.line;
  if (event.preview) object["preview"] = true;
  return {.data = json::serialize(object),
          .attributes = {{"batch_id", event.batch_id}, {"player_id", event.player_id}}};
}

BusMessage to_message(const PredictionReady& event) {
  json::object object = {{"batch_id", event.batch_id},
                         {"player_id", event.player_id},
                         {"outcome", outcome_name(event.outcome)},
                         {"rows", event.rows}};
  if (!event.reason.empty()) object["reason"] = event.reason;
  return {.data = json::serialize(object),
          .attributes = {{"batch_id", event.batch_id}, {"player_id", event.player_id}}};
}

Result<PhaseComplete> parse_phase_complete(std::string_view data) {
  SERIN_TRY(const json::object object, parse_object(data));
  PhaseComplete event;
  SERIN_TRY(event.game_date, required_date(object, "game_date"));
  SERIN_TRY(auto run_id, optional_text(object, "run_id"));
  event.run_id = run_id.value_or("");
  SERIN_TRY(event.partial, flag_or(object, "partial", false));
  return event;
}

Result<PredictionRequest> parse_prediction_request(std::string_view data) {
  SERIN_TRY(const json::object object, parse_object(data));
  PredictionRequest event;
  SERIN_TRY(event.preview, flag_or(object, "preview", false));
  SERIN_TRY(event.player_id, required_text(object, "player_id"));
  SERIN_TRY(event.game_date, required_date(object, "game_date"));
  SERIN_TRY(event.line, optional_number(object, "line"));
  if (event.preview) return event;
  SERIN_TRY(event.batch_id, required_text(object, "batch_id"));
  SERIN_TRY(event.game_id, required_text(object, "game_id"));
  return event;
}

Result<PredictionReady> parse_prediction_ready(std::string_view data) {
  SERIN_TRY(const json::object object, parse_object(data));
  PredictionReady event;
  SERIN_TRY(event.batch_id, required_text(object, "batch_id"));
  SERIN_TRY(event.player_id, required_text(object, "player_id"));
  SERIN_TRY(const std::string outcome, required_text(object, "outcome"));
  bool known = false;
  for (const Outcome candidate : outcomes) {
    if (outcome_name(candidate) != outcome) continue;
    event.outcome = candidate;
    known = true;
  }
  if (!known) return fail(Errc::invalid_argument, "field 'outcome' is none of predicted, skipped, dead: " + outcome);
  SERIN_TRY(auto reason, optional_text(object, "reason"));
  event.reason = reason.value_or("");
  SERIN_TRY(auto rows, optional_int(object, "rows"));
  event.rows = rows.value_or(0);
  return event;
}

}  // namespace serin::fleet
