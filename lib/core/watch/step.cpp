#include "serin/watch/step.hpp"

#include <fmt/format.h>

namespace serin::watch {
namespace {

/// Why it is an incident now, for the timeline and the message.
std::string reason_of(const CheckState& state, const RunResult& result) {
  return fmt::format("{}{}", state.name, result.said.empty() ? "" : ": " + result.said);
}

incidents::Incident incident_of(const CheckState& state, const WatchItem& item, const RunResult& result) {
  return {.id = state.incident,
          .check = state.name,
          .service = item.service,
          .severity = item.severity,
          .finding = std::string(finding_name(*state.counts.condition)),
          .reason = reason_of(state, result),
          .began = state.bad_since.value_or(result.at),
          .opened = result.at};
}

}  // namespace

Step step_of(CheckState state, const WatchItem& item, RunResult result) {
  const std::optional<Finding> before = state.counts.condition;
  state.counts = count(std::move(state.counts), result.finding, item.thresholds);
  const std::optional<Finding> now = state.counts.condition;
  const bool was_bad = before && before != Finding::ok;
  const bool is_bad = now && now != Finding::ok;
  if (result.finding != Finding::ok && !state.bad_since) state.bad_since = result.at;
  if (before != now) state.since = result.at;
  state.service = item.service;
  if (!result.missed) {
    state.last_took = result.took;
    state.last_at = result.at;
  }
  state.last = result.finding;
  state.last_said = result.said;

  Step step{.state = state, .result = std::move(result)};
  if (is_bad && state.incident == 0) {
    // Also when the state says that it is bad already: an incident that was ended by hand was not over.
    step.open = incident_of(state, item, step.result);
  } else if (is_bad && was_bad && now != before) {
    step.change = incident_of(state, item, step.result);
    step.text = fmt::format("{}, it was {}: {}", finding_name(*now), finding_name(*before), step.change->reason);
  } else if (was_bad && !is_bad) {
    step.resolve = true;
    step.text = state.counts.ok == 1 ? "it was ok" : fmt::format("ok {} times in a row", state.counts.ok);
  }
  if (!is_bad && step.result.finding == Finding::ok) step.state.bad_since = std::nullopt;
  return step;
}

}  // namespace serin::watch
