#pragma once
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <optional>
#include <string>

#include "serin/base/error.hpp"
#include "serin/config/target_spec.hpp"
#include "serin/rollout/plan.hpp"

namespace serin::tool {

/// What may be said on the command line about a plan; what is not said comes from the fleet's file.
struct PlanFlags {
  std::string stages;
  std::string monitoring_duration;
  std::string min_stage;
  std::string ready_timeout;
  std::string on_undecided;
  std::string on_undecided_early;
  std::optional<double> healthy_absolute;
};

/// \param flags  outlives the parsing
void add_plan_flags(CLI::App& verb, PlanFlags& flags);
/// The plan of the fleet's file with what was said. Errors: invalid_argument, naming the option or the field, also when
/// its target cannot do that.
Result<rollout::Plan> make_plan(rollout::PlanOptions plan, Duration ready_timeout, const PlanFlags& flags,
                                const config::TargetSpec& target = {});

}  // namespace serin::tool
