#include "serin/fleet_pipeline/processing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cells.hpp"
#include "json.hpp"

namespace serin::fleet {
namespace json = boost::json;

std::string_view run_status_name(RunStatus status) noexcept {
  switch (status) {
    case RunStatus::completed: return "completed";
    case RunStatus::partial_failure: return "partial_failure";
    case RunStatus::failed: return "failed";
  }
  return "failed";
}

RunStatus ProcessReport::status() const noexcept {
  const auto failed = std::ranges::count_if(processors, [](const auto& result) { return !result.error.empty(); });
  if (!publish_error.empty()) return RunStatus::failed;
  if (failed == 0) return RunStatus::completed;
  return failed == std::ssize(processors) ? RunStatus::failed : RunStatus::partial_failure;
}

std::string to_json(const ProcessReport& report) {
  json::array processors;
  for (const ProcessorResult& result : report.processors) {
    json::object entry = {{"processor", result.processor},
                          {"status", result.error.empty() ? "completed" : "failed"},
                          {"rows", result.rows}};
    if (!result.error.empty()) entry["error"] = result.error;
    processors.push_back(std::move(entry));
  }
  json::object object = {{"run_id", report.run_id},
                         {"status", run_status_name(report.status())},
                         {"game_date", report.game_date},
                         {"processors", std::move(processors)},
                         {"published", report.published}};
  if (!report.publish_error.empty()) object["publish_error"] = report.publish_error;
  if (!report.note.empty()) object["note"] = report.note;
  return json::serialize(object);
}

ProcessReport run_processors(Sql& sql, Clock& clock, std::string run_id, std::string_view game_date,
                             std::string_view revision, const std::vector<Processor>& processors, Deadline deadline) {
  ProcessReport report{.run_id = std::move(run_id), .game_date = std::string(game_date)};
  for (const Processor& processor : processors) {
    ProcessorResult result{.processor = std::string(processor.name)};
    const std::int64_t started_at = unix_ms(clock.wall());
    if (auto rows = processor.work()) {
      result.rows = *rows;
    } else {
      result.error = rows.error().text();
    }
    const auto recorded = sql.execute(
        R"sql(
INSERT INTO processor_runs(run_id, processor, game_date, status, started_at, finished_at, rows, revision, error)
VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9))sql",
        {report.run_id, result.processor, sql_text(game_date), sql_text(result.error.empty() ? "completed" : "failed"),
         started_at, unix_ms(clock.wall()), result.rows, sql_text(revision), result.error},
        deadline);
    if (!recorded && result.error.empty()) result.error = recorded.error().in("record the run").text();
    report.processors.push_back(std::move(result));
  }
  return report;
}

std::string new_run_id(std::string_view what, Random& random) { return fmt::format("{}-{:016x}", what, random.next()); }

Status record_validations(Sql& sql, Clock& clock, std::string_view run_id, const std::vector<Validation>& validations,
                          Deadline deadline) {
  for (const Validation& validation : validations) {
    const bool passed = validation.value >= validation.at_least;
    SERIN_TRY([[maybe_unused]] const std::int64_t changed,
              sql.execute(R"sql(
INSERT INTO validation_results(run_id, check_id, outcome, value, limits, rows, at) VALUES($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT(run_id, check_id) DO UPDATE SET outcome = excluded.outcome, value = excluded.value, at = excluded.at)sql",
                          {sql_text(run_id), validation.check_id, sql_text(passed ? "pass" : "fail"), validation.value,
                           fmt::format(">= {}", validation.at_least), validation.rows, unix_ms(clock.wall())},
                          deadline));
  }
  return {};
}

}  // namespace serin::fleet
