#pragma once
#include "serin/guard/elements.hpp"
#include "serin/limit/send_rate.hpp"

namespace serin::guard {

/// Sends as fast as the peer takes it. Inside of retry, so that each attempt waits and is learned from.
struct Sending {
  static constexpr Kind kind = Kind::rate;
  limit::SendRate& rate;
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    if (const Status turn = wait_for_turn(rate, context, observer); !turn) return pass(turn.error());
    const Instant sent = context.now();
    auto result = next(context);
    rate.report(classify(result), sent, context.now());
    return result;
  }
};

}  // namespace serin::guard
