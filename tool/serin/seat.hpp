#pragma once
#include <memory>
#include <string>

#include "real_context.hpp"
#include "serin/lease/lease.hpp"
#include "serin/rollout/engine.hpp"

namespace serin::tool {

/// The right to act on a service's rollout: a lease that is renewed while it is asked about, and given back at the end.
/// A process that was killed still holds its lease for a while: for one of this machine that is waited for, a living
/// holder is named at once. Threads: one.
class Seat final : public rollout::Guard {
 public:
  /// Errors: conflict, naming the process that has it.
  static Result<std::unique_ptr<Seat>> take(RealContext& context, Session& session, const ServiceName& service,
                                            std::string_view verb);
  /// Who drives the service's rollout at the moment; empty: no living process. Errors: the documents'.
  static Result<std::string> driver(RealContext& context, Session& session, const ServiceName& service);
  ~Seat() override;
  Status check() override;

 private:
  Seat(Lease lease, Sleeper& clock) : lease_(std::move(lease)), clock_(clock), renewed_(clock.now()) {}
  Lease lease_;
  Sleeper& clock_;
  Instant renewed_;
};

/// "host", as everything names this machine that says who did it.
[[nodiscard]] std::string this_host();

}  // namespace serin::tool
