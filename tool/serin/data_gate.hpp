#pragma once
#include "serin/config/fleet_spec.hpp"
#include "serin/rollout/gate.hpp"
#include "verb.hpp"

namespace serin::tool {

/// Asks the checks of a plan's file about the fleet's warehouse. A path is relative to the fleet's file. Threads: one.
class DataGate final : public rollout::Gate {
 public:
  /// \param context, spec  outlive it
  DataGate(VerbContext& context, const config::FleetSpec& spec) : context_(context), spec_(spec) {}
  rollout::GateAnswer ask(const rollout::GateQuestion& question, Deadline deadline) override;

 private:
  Result<rollout::GateAnswer> judge(const std::string& file, Deadline deadline);
  VerbContext& context_;
  const config::FleetSpec& spec_;
};

}  // namespace serin::tool
