#pragma once
#include <algorithm>
#include <optional>
#include <stop_token>
#include <string_view>

#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/random.hpp"
#include "serin/ports/tasks.hpp"

namespace serin::guard {

/// What an attempt says besides its result. Threads: one attempt's.
struct Feedback {
  std::optional<Duration> retry_after = {};  ///< how long the peer asked to be left alone
};

/// What travels through a pipeline with one call: one copy of it, which each element changes for those inside of it.
/// Hedges have a copy each. What it refers to outlives the call.
struct Context {
  Sleeper& sleeper;
  Random& random;
  Deadline deadline;
  Idempotency idempotency = Idempotency::not_idempotent;
  std::string_view target = {};  ///< what is called, in events; empty: each element says its own name
  Tasks* tasks = nullptr;        ///< threads for hedges; null: none are sent
  std::stop_token stop = {};     ///< the caller gave up, or this attempt lost a race: pass it on
  int attempt = 1;               ///< counts from 1
  int hedge = 0;                 ///< which of the requests of this attempt; 0 is the first
  bool is_counted = false;       ///< a budget knows of this call already
  Feedback* feedback = nullptr;  ///< where ask_later() goes; set by those who listen
  Instant seen = unseen;         ///< the time an element has just read; `unseen` once time may have passed
  static constexpr Instant unseen = Instant::min();

  /// For elements: the time, read from the clock once until time_passed(). A read costs more than most elements.
  [[nodiscard]] Instant now() {
    if (seen == unseen) seen = sleeper.now();
    return seen;
  }
  /// Whoever waits says so afterwards; the work counts as a wait.
  void time_passed() noexcept { seen = unseen; }
  /// The peer asked not to be called again before so long: a lower bound for the next attempt.
  void ask_later(Duration wait) const noexcept {
    if (feedback != nullptr) feedback->retry_after = std::max(feedback->retry_after.value_or(wait), wait);
  }
};

}  // namespace serin::guard
