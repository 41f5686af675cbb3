#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serin/watch/store.hpp"

namespace serin::watch {

/// What is wrong with the watching itself.
struct WatcherFinding {
  std::string what;   ///< watcher, schedule, check, notification, incident: stable
  std::string about;  ///< a check's name, an incident's number; empty: the watcher
  std::string said;   ///< a sentence
  friend bool operator==(const WatcherFinding&, const WatcherFinding&) = default;
};

/// A watcher that stopped or never was; a check that never ran, that did not run in time, or that says nothing but
/// unknown; a message that is not sent, or no channel for it; an open incident of what nobody looks at any more. Made
/// from what is stored alone, so that any process can ask. Empty: the watching is well. Pure.
/// \param states    of all checks, of which those with a schedule have `next_due`
/// \param outgoing  messages that were not sent
[[nodiscard]] std::vector<WatcherFinding> watch_the_watcher(std::span<const CheckState> states,
                                                            const std::optional<WatcherBeat>& beat,
                                                            std::span<const Outgoing> outgoing, WallTime now);
/// The same from a store. Errors: of the database.
[[nodiscard]] Result<std::vector<WatcherFinding>> watch_the_watcher(WatchStore& store, WallTime now, Deadline deadline);

}  // namespace serin::watch
