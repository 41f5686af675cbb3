#pragma once
#include "serin/base/checked.hpp"
#include "serin/base/time.hpp"
#include "serin/guard/elements.hpp"

namespace serin::guard {

/// The two times of a call, kept together because they have to fit each other.
struct Timeouts {
  Duration total{};    ///< the whole call, retries and waits included; > 0
  Duration attempt{};  ///< one attempt; > 0, at most `total`
  [[nodiscard]] constexpr TotalDeadline deadline() const { return {.within = total}; }
  [[nodiscard]] constexpr AttemptTimeout attempt_timeout() const { return {.within = attempt}; }
};
constexpr Wrongs wrongs(const Timeouts& timeouts) {
  Wrongs out;
  out.unless(timeouts.total > Duration::zero(), "total", "must be above 0", timeouts.total);
  out.unless(timeouts.attempt > Duration::zero(), "attempt", "must be above 0", timeouts.attempt);
  out.unless(timeouts.attempt <= timeouts.total, "attempt", "must be at most the total deadline", timeouts.attempt);
  return out;
}

}  // namespace serin::guard
