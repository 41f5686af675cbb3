#include "serin/fleet_pipeline/coordinator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cells.hpp"
#include "json.hpp"
#include "serin/fleet_pipeline/eligible.hpp"
#include "serin/fleet_pipeline/merge.hpp"
#include "serin/lease/lease.hpp"

namespace serin::fleet {
namespace json = boost::json;
namespace {

constexpr std::string_view batches_of = "batches";      // a document a batch
constexpr std::string_view current_of = "batch_dates";  // a document a date: which batch is the current one

/// "2026-01-21-3" of attempt 3.
std::string batch_id_of(const std::string& game_date, std::int64_t attempt) {
  return fmt::format("{}-{}", game_date, attempt);
}

struct Current {
  std::int64_t attempt = 0;
  std::int64_t version = 0;
};

Result<Current> read_current(Documents& documents, const std::string& game_date, Deadline deadline) {
  SERIN_TRY(const std::optional<Document> document, documents.get(current_of, game_date, deadline));
  if (!document) return Current{};
  SERIN_TRY(const json::object object, parse_object(document->json));
  SERIN_TRY(const std::optional<std::int64_t> attempt, optional_int(object, "attempt"));
  return Current{.attempt = attempt.value_or(0), .version = document->version};
}

json::array texts(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

}  // namespace

std::string to_json(const Started& started) {
  return json::serialize(json::object{
      {"batch_id", started.batch_id}, {"total_requests", started.total_requests}, {"published", started.published}});
}

std::string to_json(const StallReport& report) {
  return json::serialize(json::object{{"checked", report.checked},
                                      {"recovered", report.recovered},
                                      {"closed", texts(report.closed)},
                                      {"resumed", texts(report.resumed)},
                                      {"swept", texts(report.swept)},
                                      {"errors", texts(report.errors)}});
}

Result<std::optional<Coordinator::Stored>> Coordinator::load(std::string_view batch_id, Deadline deadline) {
  SERIN_TRY(const std::optional<Document> document, deps_.documents.get(batches_of, batch_id, deadline));
  if (!document) return std::nullopt;
  SERIN_TRY(Batch batch, parse_batch(document->json));
  return Stored{.batch = std::move(batch), .version = document->version};
}

/// Reads, edits and writes until nobody else was in between.
template <class Edit>
Result<std::optional<Batch>> Coordinator::change(std::string_view batch_id, Deadline deadline, Edit edit) {
  for (;;) {
    SERIN_TRY(std::optional<Stored> stored, load(batch_id, deadline));
    if (!stored) return std::nullopt;
    const Change wanted = edit(stored->batch);
    if (!wanted.write) return std::move(stored->batch);
    const auto written = deps_.documents.put(batches_of, batch_id, to_json(stored->batch), stored->version, deadline);
    if (written) return std::move(stored->batch);
    if (written.error().code() != Errc::conflict) return pass(written.error());
    if (deadline.passed(deps_.sleeper.now()))
      return fail(Errc::deadline_exceeded, fmt::format("batch {} is changed by others all the time", batch_id));
    // Spread out, so that those who met do not meet again.
    SERIN_CHECK(deps_.sleeper.sleep_for(duration_of_seconds(0.005 * deps_.random.unit())));
  }
}

/// Makes the batch the date's current one, by compare-and-set of the date's document: of two who try, one is told no.
Result<Batch> Coordinator::elect(const StartRequest& request, std::string_view cause, std::set<std::string> players,
                                 Deadline deadline) {
  SERIN_TRY(const Current current, read_current(deps_.documents, request.game_date, deadline));
  const std::string old_id = batch_id_of(request.game_date, current.attempt);
  if (current.attempt > 0) {
    SERIN_TRY(const std::optional<Stored> old, load(old_id, deadline));
    if (old && !cause.empty() && old->batch.cause == cause)
      return fail(Errc::conflict, fmt::format("{} started batch {} before", cause, old_id));
    if (old && is_active(old->batch.state) && !request.force)
      return fail(Errc::conflict, fmt::format("batch {} is {}", old_id, batch_state_name(old->batch.state)));
  }
  const WallTime now = deps_.sleeper.wall();
  Batch batch{.batch_id = batch_id_of(request.game_date, current.attempt + 1),
              .game_date = request.game_date,
              .cause = std::string(cause),
              .state = BatchState::publishing,
              .started_at = now,
              .changed_at = now,
              .expected = static_cast<std::int64_t>(players.size()),
              .waiting = std::move(players),
              .skip_reasons = {},
              .note = {}};
  // The batch before the pointer to it: what the pointer names is there. A leftover of somebody who died between the
  // two has this name and nobody knows it: it is written over.
  SERIN_TRY(const std::optional<Document> leftover, deps_.documents.get(batches_of, batch.batch_id, deadline));
  const auto put =
      deps_.documents.put(batches_of, batch.batch_id, to_json(batch), leftover ? leftover->version : 0, deadline);
  const std::string pointer = json::serialize(json::object{{"attempt", current.attempt + 1}});
  const auto pointed =
      put ? deps_.documents.put(current_of, request.game_date, pointer, current.version, deadline) : put;
  if (!pointed && pointed.error().code() == Errc::conflict)
    return fail(Errc::conflict, fmt::format("somebody else starts a batch of {} at this moment", request.game_date));
  if (!pointed) return pass(pointed.error());
  if (current.attempt > 0) {
    SERIN_TRY([[maybe_unused]] const auto superseded, change(old_id, deadline, [&](Batch& old) -> Change {
                if (!is_active(old.state)) return {};
                old.state = BatchState::superseded;
                old.changed_at = now;
                old.note = "a forced start took its place";
                return {.write = true};
              }));
  }
  return batch;
}

/// Publishes a request for everybody who is waiting, and lets the batch run. Publishing again is harmless: a request
/// that is worked on twice writes the same rows and counts once.
Result<std::int64_t> Coordinator::publish(const Batch& batch, Deadline deadline) {
  SERIN_TRY(const std::vector<EligiblePlayer> players,
            eligible_players(deps_.sql, Sport::nba, batch.game_date, deadline));
  std::vector<BusMessage> messages;
  std::int64_t published = 0;
  const auto flush = [&]() -> Status {
    if (messages.empty()) return {};
    const auto count = static_cast<std::int64_t>(messages.size());
    SERIN_TRY([[maybe_unused]] const auto ids,
              deps_.bus.publish(topic::prediction_request, std::exchange(messages, {}), deadline));
    published += count;
    return {};
  };
  for (const EligiblePlayer& player : players) {
    if (!batch.waiting.contains(player.player_id)) continue;
    messages.push_back(to_message(PredictionRequest{.batch_id = batch.batch_id,
                                                    .player_id = player.player_id,
                                                    .game_id = player.game_id,
                                                    .game_date = batch.game_date,
                                                    .line = player.market_line}));
    if (messages.size() >= options_.publish_batch) SERIN_CHECK(flush());
  }
  SERIN_CHECK(flush());
  SERIN_TRY([[maybe_unused]] const auto running, change(batch.batch_id, deadline, [&](Batch& stored) -> Change {
              if (stored.state != BatchState::publishing) return {};  // the last one may be in already
              stored.state = BatchState::running;
              stored.changed_at = deps_.sleeper.wall();
              return {.write = true};
            }));
  return published;
}

Result<Started> Coordinator::start(const StartRequest& request, std::string_view cause, Deadline deadline) {
  SERIN_TRY(const std::vector<EligiblePlayer> players,
            eligible_players(deps_.sql, Sport::nba, request.game_date, deadline));
  if (players.empty()) return fail(Errc::not_found, fmt::format("no eligible player on {}", request.game_date));
  std::set<std::string> ids;
  for (const EligiblePlayer& player : players) ids.insert(player.player_id);
  SERIN_TRY(const Batch batch, elect(request, cause, std::move(ids), deadline));
  SERIN_TRY(const std::int64_t published, publish(batch, deadline));
  deps_.logger.info("batch_started", {{"batch_id", batch.batch_id}, {"requests", published}});
  return Started{.batch_id = batch.batch_id, .total_requests = batch.expected, .published = published};
}

Status Coordinator::complete(const PredictionReady& event, Deadline deadline) {
  Counted counted = Counted::duplicate;
  SERIN_TRY(const std::optional<Batch> batch, change(event.batch_id, deadline, [&](Batch& stored) -> Change {
              counted = count(stored, event.player_id, event.outcome, event.reason, deps_.sleeper.wall());
              return {.write = counted != Counted::duplicate};
            }));
  if (!batch) {
    // Delivering it again would not make the batch appear; that somebody sends such a thing has to be seen.
    deps_.logger.warn("completion_of_unknown_batch", {{"batch_id", event.batch_id}, {"player_id", event.player_id}});
    return {};
  }
  if (counted == Counted::last) return close(event.batch_id, batch->game_date, deadline);
  return {};
}

/// Merges under the date's lease, then says so in the document. Somebody else who merges at this moment takes these
/// rows along or leaves them to check_stalled().
Status Coordinator::close(const std::string& batch_id, const std::string& game_date, Deadline deadline) {
  Result<Lease> lease =
      Lease::acquire(deps_.documents, deps_.sleeper,
                     {.name = "merge of " + game_date, .holder = deps_.holder, .ttl = options_.merge_lease}, deadline);
  if (!lease && lease.error().code() == Errc::conflict) {
    deps_.logger.info("merge_left_to_another", {{"batch_id", batch_id}, {"holder", lease.error().detail()}});
    return {};
  }
  if (!lease) return pass(lease.error());
  const Result<MergeReport> merged = merge_staging_rows(deps_.sql, game_date, lease->token(), deadline);
  const Status released = lease->release(deadline);
  if (!released) deps_.logger.warn("lease_not_given_back", {{"error", released.error().text()}});
  if (!merged) return pass(merged.error().in("merge"));
  SERIN_TRY(const std::optional<Batch> batch, change(batch_id, deadline, [&](Batch& stored) -> Change {
              stored.merged += merged->rows;
              if (stored.state == BatchState::closing) {
                const double enough = options_.stall.enough * static_cast<double>(stored.expected);
                stored.state = static_cast<double>(stored.done()) >= enough ? BatchState::closed : BatchState::failed;
                stored.changed_at = deps_.sleeper.wall();
              }
              return {.write = true};
            }));
  if (batch)
    deps_.logger.info("batch_closed", {{"batch_id", batch_id},
                                       {"state", batch_state_name(batch->state)},
                                       {"predicted", batch->predicted},
                                       {"skipped", batch->skipped},
                                       {"dead", batch->dead},
                                       {"rows", batch->merged}});
  return {};
}

/// Rows that came after their batch had closed.
Status Coordinator::sweep(const std::string& game_date, Deadline deadline) {
  SERIN_TRY(const Current current, read_current(deps_.documents, game_date, deadline));
  return close(batch_id_of(game_date, current.attempt), game_date, deadline);
}

/// Players whose rows are there while their completion is not: it was lost.
Result<std::int64_t> Coordinator::recover(const Batch& batch, Deadline deadline) {
  SERIN_TRY(const SqlTable table, deps_.sql.query(R"sql(
SELECT player_id, COUNT(*) FROM predictions_staging WHERE batch_id = $1 GROUP BY player_id)sql",
                                                  {batch.batch_id}, deadline));
  std::int64_t recovered = 0;
  for (const SqlRow& row : table.rows) {
    Cells cells(row);
    const std::string player = cells.text();
    const std::int64_t rows = cells.whole();
    SERIN_CHECK(cells.done());
    if (rows == 0 || !batch.waiting.contains(player)) continue;
    bool counted = false;
    SERIN_TRY([[maybe_unused]] const auto changed, change(batch.batch_id, deadline, [&](Batch& stored) -> Change {
                counted = count(stored, player, Outcome::predicted, "", deps_.sleeper.wall()) != Counted::duplicate;
                if (counted) ++stored.recovered;
                return {.write = counted};
              }));
    recovered += counted ? 1 : 0;
  }
  return recovered;
}

Status Coordinator::look_after(const Batch& listed, const StallOptions& options, StallReport& report,
                               Deadline deadline) {
  // Young completions are on their way; only a batch that has been quiet for a while has lost some.
  if (listed.state == BatchState::running && deps_.sleeper.wall() - listed.changed_at >= options.stuck) {
    SERIN_TRY(const std::int64_t recovered, recover(listed, deadline));
    report.recovered += recovered;
  }
  SERIN_TRY(const std::optional<Stored> stored, load(listed.batch_id, deadline));
  if (!stored) return {};
  const Batch& batch = stored->batch;
  const StallVerdict verdict = judge_stall(batch, options, deps_.sleeper.wall());
  switch (verdict) {
    case StallVerdict::wait:
      // The recovery above may have counted the last one.
      if (batch.state == BatchState::closing && listed.state == BatchState::running) {
        report.closed.push_back(batch.batch_id);
        return close(batch.batch_id, batch.game_date, deadline);
      }
      return {};
    case StallVerdict::resume_publishing: {
      report.resumed.push_back(batch.batch_id);
      SERIN_TRY([[maybe_unused]] const std::int64_t published, publish(batch, deadline));
      return {};
    }
    case StallVerdict::resume_closing:
      report.resumed.push_back(batch.batch_id);
      return close(batch.batch_id, batch.game_date, deadline);
    case StallVerdict::close:
    case StallVerdict::give_up: {
      report.closed.push_back(batch.batch_id);
      SERIN_TRY([[maybe_unused]] const auto closing, change(batch.batch_id, deadline, [&](Batch& old) -> Change {
                  if (old.state != BatchState::running) return {};
                  old.state = BatchState::closing;
                  old.changed_at = deps_.sleeper.wall();
                  old.note =
                      fmt::format("closed with {} of {} players in, the others did not come", old.done(), old.expected);
                  return {.write = true};
                }));
      return close(batch.batch_id, batch.game_date, deadline);
    }
  }
  return {};
}

Result<StallReport> Coordinator::check_stalled(const StallRequest& request, Deadline deadline) {
  StallOptions options = options_.stall;
  options.min_age = request.min_age.value_or(options.min_age);
  options.enough = request.enough.value_or(options.enough);
  StallReport report;
  std::set<std::string> busy_dates;
  SERIN_TRY(const std::vector<Document> documents, deps_.documents.list(batches_of, deadline));
  for (const Document& document : documents) {
    const Result<Batch> batch = parse_batch(document.json);
    if (!batch) {
      report.errors.push_back(document.id + ": " + batch.error().text());
      continue;
    }
    if (!is_active(batch->state)) continue;
    ++report.checked;
    busy_dates.insert(batch->game_date);
    const Status looked = look_after(*batch, options, report, deadline);
    if (!looked) report.errors.push_back(batch->batch_id + ": " + looked.error().text());
  }
  SERIN_TRY(const SqlTable dates,
            deps_.sql.query("SELECT DISTINCT game_date FROM predictions_staging ORDER BY game_date", {}, deadline));
  for (const SqlRow& row : dates.rows) {
    Cells cells(row);
    const std::string date = cells.text();
    SERIN_CHECK(cells.done());
    if (busy_dates.contains(date)) continue;
    report.swept.push_back(date);
    const Status swept = sweep(date, deadline);
    if (!swept) report.errors.push_back(date + ": " + swept.error().text());
  }
  return report;
}

Result<Batch> Coordinator::status(std::string_view batch_id, Deadline deadline) {
  SERIN_TRY(std::optional<Stored> stored, load(batch_id, deadline));
  if (!stored) return fail(Errc::not_found, fmt::format("there is no batch '{}'", batch_id));
  return std::move(stored->batch);
}

Result<std::vector<Batch>> Coordinator::batches(std::string_view game_date, std::size_t most, Deadline deadline) {
  SERIN_TRY(const std::vector<Document> documents, deps_.documents.list(batches_of, deadline));
  std::vector<Batch> found;
  for (const Document& document : documents) {
    SERIN_TRY(Batch batch, parse_batch(document.json));
    if (game_date.empty() || batch.game_date == game_date) found.push_back(std::move(batch));
  }
  std::ranges::sort(found, [](const Batch& a, const Batch& b) { return a.started_at > b.started_at; });
  if (found.size() > most) found.resize(most);
  return found;
}

}  // namespace serin::fleet
