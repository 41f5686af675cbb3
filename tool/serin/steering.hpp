#pragma once
#include <string>

#include "real_context.hpp"
#include "serin/control/order_store.hpp"

namespace serin::tool {

struct SteerOptions {
  ServiceName service;
  rollout::OrderKind kind = rollout::OrderKind::pause;
  double percent = 0;   ///< approve, reject: before which stage; 0: the one that it waits for
  std::string reason;   ///< a person's words, for the journal
  Duration wait = 30s;  ///< for an answer; the order stays when it is over
};

/// Gives an order to the process that drives the service's rollout, and waits for its answer. Errors: conflict (no
/// rollout is open, or no living process drives it; the sentence says how it stands), deadline_exceeded, unavailable or
/// cancelled (the order is written down and has no answer yet), the store's.
Result<control::KeptOrder> steer(RealContext& context, Session& session, const SteerOptions& options);

/// "anna@host": who runs this process.
[[nodiscard]] std::string this_person();

}  // namespace serin::tool
