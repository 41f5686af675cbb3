#include "serin/guard/elements.hpp"

#include <fmt/format.h>

namespace serin::guard {

std::string_view what_name(What what) noexcept {
  switch (what) {
    case What::attempt_ended: return "attempt_ended";
    case What::retry_wait: return "retry_wait";
    case What::retry_stopped: return "retry_stopped";
    case What::rejected_by_breaker: return "rejected_by_breaker";
    case What::rejected_by_bulkhead: return "rejected_by_bulkhead";
    case What::rejected_by_rate: return "rejected_by_rate";
    case What::rejected_by_budget: return "rejected_by_budget";
    case What::hedge_sent: return "hedge_sent";
    case What::hedge_won: return "hedge_won";
    case What::fallback_used: return "fallback_used";
    case What::deadline_hit: return "deadline_hit";
    case What::chaos_injected: return "chaos_injected";
  }
  return "attempt_ended";
}

std::unexpected<Error> no_turn(std::string_view rate) {
  return fail(Errc::rejected, fmt::format("rate '{}': no turn before the deadline", rate));
}

std::unexpected<Error> given_up() {
  static const Error error = fail(Errc::cancelled, "the caller gave up").error();
  return pass(error);
}

}  // namespace serin::guard
