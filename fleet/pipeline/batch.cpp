#include "serin/fleet_pipeline/batch.hpp"

#include <array>

#include "json.hpp"

namespace serin::fleet {
namespace json = boost::json;
namespace {

constexpr std::array states = {BatchState::publishing, BatchState::running, BatchState::closing,
                               BatchState::closed,     BatchState::failed,  BatchState::superseded};

json::object counts_of(const Batch& batch) {
  json::object reasons;
  for (const auto& [reason, number] : batch.skip_reasons) reasons[reason] = number;
  return {{"batch_id", batch.batch_id},
          {"game_date", batch.game_date},
          {"cause", batch.cause},
          {"state", batch_state_name(batch.state)},
          {"started_at", format_rfc3339(batch.started_at)},
          {"changed_at", format_rfc3339(batch.changed_at)},
          {"expected", batch.expected},
          {"predicted", batch.predicted},
          {"skipped", batch.skipped},
          {"dead", batch.dead},
          {"skip_reasons", std::move(reasons)},
          {"recovered", batch.recovered},
          {"merged", batch.merged},
          {"note", batch.note}};
}

Result<BatchState> parse_state(std::string_view name) {
  for (const BatchState state : states) {
    if (batch_state_name(state) == name) return state;
  }
  return fail(Errc::invalid_argument, "unknown state '" + std::string(name) + "'");
}

Result<Batch> read_batch(std::string_view text) {
  SERIN_TRY(const json::object object, parse_object(text));
  Batch batch;
  SERIN_TRY(batch.batch_id, required_text(object, "batch_id"));
  SERIN_TRY(batch.game_date, required_date(object, "game_date"));
  SERIN_TRY(auto cause, optional_text(object, "cause"));
  batch.cause = cause.value_or("");
  SERIN_TRY(const std::string state, required_text(object, "state"));
  SERIN_TRY(batch.state, parse_state(state));
  SERIN_TRY(const std::string started, required_text(object, "started_at"));
  SERIN_TRY(batch.started_at, parse_rfc3339(started));
  SERIN_TRY(const std::string changed, required_text(object, "changed_at"));
  SERIN_TRY(batch.changed_at, parse_rfc3339(changed));
  for (const auto& [field, target] : {std::pair{"expected", &batch.expected}, std::pair{"predicted", &batch.predicted},
                                      std::pair{"skipped", &batch.skipped}, std::pair{"dead", &batch.dead},
                                      std::pair{"recovered", &batch.recovered}, std::pair{"merged", &batch.merged}}) {
    SERIN_TRY(auto number, optional_int(object, field));
    *target = number.value_or(0);
  }
  SERIN_TRY(auto note, optional_text(object, "note"));
  batch.note = note.value_or("");
  if (const auto* reasons = object.if_contains("skip_reasons"); reasons != nullptr && reasons->is_object()) {
    for (const auto& entry : reasons->get_object()) {
      SERIN_TRY(auto number, optional_int(reasons->get_object(), std::string_view(entry.key())));
      batch.skip_reasons[std::string(entry.key())] = number.value_or(0);
    }
  }
  const auto* waiting = object.if_contains("waiting");
  if (waiting == nullptr || !waiting->is_array()) return fail(Errc::invalid_argument, "field 'waiting' is no array");
  for (const json::value& player : waiting->get_array()) {
    if (!player.is_string()) return fail(Errc::invalid_argument, "field 'waiting' holds something else than texts");
    batch.waiting.emplace(player.get_string().begin(), player.get_string().end());
  }
  return batch;
}

}  // namespace

std::string_view batch_state_name(BatchState state) noexcept {
  switch (state) {
    case BatchState::publishing: return "publishing";
    case BatchState::running: return "running";
    case BatchState::closing: return "closing";
    case BatchState::closed: return "closed";
    case BatchState::failed: return "failed";
    case BatchState::superseded: return "superseded";
  }
  return "failed";
}

Counted count(Batch& batch, std::string_view player, Outcome outcome, std::string_view reason, WallTime now) {
  // Also while closing: a player given up on may still come in, and then belongs to the counts.
  if (!is_active(batch.state)) return Counted::duplicate;
  const auto it = batch.waiting.find(std::string(player));
  if (it == batch.waiting.end()) return Counted::duplicate;
  batch.waiting.erase(it);
  batch.changed_at = now;
  switch (outcome) {
    case Outcome::predicted: ++batch.predicted; break;
    case Outcome::skipped:
      ++batch.skipped;
      ++batch.skip_reasons[reason.empty() ? "unknown" : std::string(reason)];
      break;
    case Outcome::dead: ++batch.dead; break;
  }
  if (!batch.waiting.empty() || batch.state == BatchState::closing) return Counted::counted;
  batch.state = BatchState::closing;
  return Counted::last;
}

StallVerdict judge_stall(const Batch& batch, const StallOptions& options, WallTime now) noexcept {
  const Duration quiet = now - batch.changed_at;
  const Duration age = now - batch.started_at;
  switch (batch.state) {
    case BatchState::publishing: return quiet >= options.stuck ? StallVerdict::resume_publishing : StallVerdict::wait;
    case BatchState::closing: return quiet >= options.stuck ? StallVerdict::resume_closing : StallVerdict::wait;
    case BatchState::running: break;
    case BatchState::closed:
    case BatchState::failed:
    case BatchState::superseded: return StallVerdict::wait;
  }
  if (batch.waiting.empty()) return StallVerdict::close;
  const bool enough = static_cast<double>(batch.done()) >= options.enough * static_cast<double>(batch.expected);
  if (age >= options.min_age && enough) return StallVerdict::close;
  if (age >= options.give_up && age >= options.min_age) return StallVerdict::give_up;
  return StallVerdict::wait;
}

std::string to_json(const Batch& batch) {
  json::object object = counts_of(batch);
  json::array waiting;
  for (const std::string& player : batch.waiting) waiting.emplace_back(player);
  object["waiting"] = std::move(waiting);
  return json::serialize(object);
}

std::string to_status_json(const Batch& batch) {
  json::object object = counts_of(batch);
  object["completed"] = batch.done();
  json::array waiting;
  for (const std::string& player : batch.waiting) {
    if (waiting.size() == 20) break;
    waiting.emplace_back(player);
  }
  object["waiting"] = batch.waiting.size();
  object["waiting_first"] = std::move(waiting);
  return json::serialize(object);
}

Result<Batch> parse_batch(std::string_view text) {
  auto batch = read_batch(text);
  if (!batch) return fail(Errc::data_loss, "batch document: " + batch.error().detail());
  return batch;
}

}  // namespace serin::fleet
