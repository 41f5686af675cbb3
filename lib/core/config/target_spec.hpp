#pragma once
#include <optional>
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/ports/platform.hpp"
#include "serin/rollout/plan.hpp"

namespace serin::config {

/// Where on Cloud Run a service is, and how its requests are counted there.
struct CloudRunPlace {
  std::string project;
  std::string region;           ///< "us-central1"
  Duration counts_every = 60s;  ///< what one point of Cloud Monitoring stands for; 1 s to 10 min, whole seconds
  Duration counts_late = 180s;  ///< after which a point is believed to be there; 0 to 1 h
  friend bool operator==(const CloudRunPlace&, const CloudRunPlace&) = default;
};

/// What a service runs on. Nothing named: programs of this machine, under `serin agent`. At most one is named.
struct TargetSpec {
  std::optional<CloudRunPlace> cloud_run = {};
  [[nodiscard]] bool is_local() const noexcept { return !cloud_run; }
  friend bool operator==(const TargetSpec&, const TargetSpec&) = default;
};

/// "this machine" or "Cloud Run (project p, region r)".
[[nodiscard]] std::string target_text(const TargetSpec& target);

/// The plan of a target when nobody says otherwise: counts that come late and calls that take seconds need patience.
[[nodiscard]] rollout::PlanOptions default_plan(const TargetSpec& target);
/// What the target cannot do of a plan. Errors: invalid_argument, naming the field.
[[nodiscard]] Status check_plan(const TargetSpec& target, const rollout::PlanOptions& plan);
/// The same for a release: what it is called, how many replicas it wants. Errors: invalid_argument.
[[nodiscard]] Status check_release(const TargetSpec& target, const ServiceName& service, const ReleaseSpec& release);

}  // namespace serin::config
