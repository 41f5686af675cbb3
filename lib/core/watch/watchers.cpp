#include "serin/watch/watchers.hpp"

#include <fmt/format.h>

#include "serin/base/text.hpp"

namespace serin::watch {
namespace {

constexpr int always = 5;  // so many unknown and nothing else: it says nothing

std::string ago(WallTime now, WallTime then) {
  return fmt::format("{} ago", format_duration(std::chrono::floor<std::chrono::seconds>(now - then)));
}

void look_at_beat(const std::optional<WatcherBeat>& beat, WallTime now, std::vector<WatcherFinding>& out) {
  const auto add = [&](std::string said) { out.push_back({.what = "watcher", .about = "", .said = std::move(said)}); };
  if (!beat) return add("no watcher ever ran with this memory");
  if (beat->stopped) {
    add(fmt::format("the watcher was stopped {}, at {}", ago(now, beat->at), format_rfc3339(beat->at)));
  } else if (now - beat->at > 3 * beat->every + 10s) {
    add(fmt::format("the watcher (process {}) gave its last sign of life {}, at {}; they come every {}", beat->pid,
                    ago(now, beat->at), format_rfc3339(beat->at), format_duration(beat->every)));
  }
  for (const std::string_view line : split(beat->trouble, '\n'))
    if (!line.empty())
      out.push_back({.what = line.starts_with("heartbeat") ? "watcher" : "notification", .said = std::string(line)});
}

void look_at_check(const CheckState& state, WallTime now, std::vector<WatcherFinding>& out) {
  if (state.next_due && now > *state.next_due + state.late_after)
    out.push_back({.what = "schedule",
                   .about = state.name,
                   .said = fmt::format("was due {} ({}) and did not come; it last ran {}", ago(now, *state.next_due),
                                       state.schedule, state.last_at ? ago(now, *state.last_at) : "never")});
  const Counts& counts = state.counts;
  if (counts.unknown >= always && counts.failing == 0 && counts.ok == 0)
    out.push_back({.what = "check",
                   .about = state.name,
                   .said = fmt::format("answers nothing but unknown, {}{} times: {}",
                                       counts.unknown >= 1000 ? "over " : "", counts.unknown, state.last_said)});
}

}  // namespace

std::vector<WatcherFinding> watch_the_watcher(std::span<const CheckState> states,
                                              const std::optional<WatcherBeat>& beat,
                                              std::span<const Outgoing> outgoing, WallTime now) {
  std::vector<WatcherFinding> out;
  look_at_beat(beat, now, out);
  for (const CheckState& state : states) look_at_check(state, now, out);
  for (const Outgoing& message : outgoing)
    if (message.tries > 0)
      out.push_back({.what = "notification",
                     .about = std::to_string(message.incident),
                     .said = fmt::format("that incident {} is {} could not be told, {} times: {}", message.incident,
                                         message.kind, message.tries, message.error)});
  return out;
}

Result<std::vector<WatcherFinding>> watch_the_watcher(WatchStore& store, WallTime now, Deadline deadline) {
  SERIN_TRY(const std::vector<CheckState> states, store.states(deadline));
  SERIN_TRY(const std::optional<WatcherBeat> beat, store.beat(deadline));
  SERIN_TRY(const std::vector<Outgoing> outgoing, store.outgoing(std::nullopt, 100, deadline));
  return watch_the_watcher(states, beat, outgoing, now);
}

}  // namespace serin::watch
