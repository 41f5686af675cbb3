#include "serin/rollout/record.hpp"

#include <fmt/format.h>

#include <array>

namespace serin::rollout {

std::string_view state_name(State state) noexcept {
  switch (state) {
    case State::starting: return "starting";
    case State::zero: return "zero";
    case State::stage: return "stage";
    case State::promoting: return "promoting";
    case State::restoring: return "restoring";
    case State::held: return "held";
    case State::promoted: return "promoted";
    case State::rolled_back: return "rolled_back";
    case State::failed_to_start: return "failed_to_start";
    case State::rollback_incomplete: return "rollback_incomplete";
  }
  return "held";
}

Result<State> parse_state(std::string_view name) {
  for (const auto state : {State::starting, State::zero, State::stage, State::promoting, State::restoring, State::held,
                           State::promoted, State::rolled_back, State::failed_to_start, State::rollback_incomplete})
    if (name == state_name(state)) return state;
  return fail(Errc::data_loss, fmt::format("the journal names a state '{}' that does not exist", name));
}

bool is_final(State state) noexcept {
  return state == State::promoted || state == State::rolled_back || state == State::failed_to_start;
}

std::string_view event_name(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::start_release: return "start_release";
    case EventKind::probe: return "probe";
    case EventKind::enter_zero: return "enter_zero";
    case EventKind::enter_stage: return "enter_stage";
    case EventKind::set_split: return "set_split";
    case EventKind::extend_stage: return "extend_stage";
    case EventKind::leave_stage: return "leave_stage";
    case EventKind::verdict: return "verdict";
    case EventKind::restore: return "restore";
    case EventKind::stop_release: return "stop_release";
    case EventKind::hold: return "hold";
    case EventKind::resume: return "resume";
    case EventKind::order: return "order";
    case EventKind::await: return "await";
    case EventKind::note: return "note";
    case EventKind::finish: return "finish";
  }
  return "note";
}

Result<EventKind> parse_event(std::string_view name) {
  for (const auto kind : {EventKind::start_release, EventKind::probe, EventKind::enter_zero, EventKind::enter_stage,
                          EventKind::set_split, EventKind::extend_stage, EventKind::leave_stage, EventKind::verdict,
                          EventKind::restore, EventKind::stop_release, EventKind::hold, EventKind::resume,
                          EventKind::order, EventKind::await, EventKind::note, EventKind::finish})
    if (name == event_name(kind)) return kind;
  return fail(Errc::data_loss, fmt::format("the journal names an event '{}' that does not exist", name));
}

}  // namespace serin::rollout
