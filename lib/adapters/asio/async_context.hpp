#pragma once
#include <algorithm>
#include <string_view>

#include "serin/async/async_sleeper.hpp"
#include "serin/guard/context.hpp"
#include "serin/outcome/outcome.hpp"
#include "serin/ports/random.hpp"

namespace serin::async {

/// What travels through a pipeline with one call, as guard::Context does; giving up comes through the coroutine's
/// cancellation slot instead of a token. Copied for each attempt; what it refers to outlives the call.
struct AsyncContext {
  AsyncSleeper& sleeper;
  Random& random;
  Deadline deadline;
  Idempotency idempotency = Idempotency::not_idempotent;
  std::string_view target = {};  ///< what is called, in events; empty: each element says its own name
  int attempt = 1;               ///< counts from 1
  int hedge = 0;                 ///< which of the requests of this attempt; 0 is the first
  bool is_counted = false;       ///< a budget knows of this call already
  guard::Feedback* feedback = nullptr;
  /// The peer asked not to be called again before so long: a lower bound for the next attempt.
  void ask_later(Duration wait) const noexcept {
    if (feedback != nullptr) feedback->retry_after = std::max(feedback->retry_after.value_or(wait), wait);
  }
};

}  // namespace serin::async
