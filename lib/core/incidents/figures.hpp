#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serin/incidents/incident.hpp"
#include "serin/rollout/record.hpp"

namespace serin::incidents {

/// A mean and of how many; without any it is unknown, which is not 0.
struct MeanTime {
  std::optional<Duration> mean = {};
  int n = 0;
};

struct IncidentFigures {
  int opened = 0;           ///< in the time looked at
  int unresolved = 0;       ///< now, whenever they were opened
  MeanTime to_detect;       ///< first bad finding to opened; of those opened in the time
  MeanTime to_acknowledge;  ///< opened to acknowledged; of those acknowledged in the time
  MeanTime to_resolve;      ///< opened to resolved; of those resolved in the time (MTTR)
};
/// \param incidents  all that were not over before `from`; the time is [from, to). Pure.
[[nodiscard]] IncidentFigures incident_figures(std::span<const Incident> incidents, WallTime from, WallTime to);

/// What became of a release that was to be deployed.
enum class DeploymentEnd : std::uint8_t {
  live,        ///< got all of the traffic, and kept it
  taken_back,  ///< got traffic and lost it again
  never_live,  ///< no user ever saw it
  going_on,    ///< not at its end
};
/// "live", "taken_back", "never_live", "going_on".
[[nodiscard]] std::string_view deployment_end_name(DeploymentEnd end) noexcept;

struct Deployment {
  std::string service;
  std::string release;
  WallTime began;
  DeploymentEnd end = DeploymentEnd::going_on;
  std::optional<WallTime> live_at = {};    ///< when it got all of the traffic, read back
  std::optional<WallTime> commit_at = {};  ///< from the release's label commit_time; nothing: unknown
};
/// From a rollout's journal. \param record  with its events. Pure.
[[nodiscard]] Deployment deployment_of(const rollout::Record& record);

/// The four figures of DORA. What there is no data for is unknown, not 0.
struct DoraFigures {
  std::optional<double> per_day = {};  ///< deployments that users saw; unknown when no rollout was ever recorded
  int deployments = 0;                 ///< that users saw and that ended in the time
  MeanTime lead_time;                  ///< commit to live; only of those whose commit time is known
  int lead_unknown = 0;                ///< live, but nobody knows when they were committed
  std::optional<double> change_failures = {};  ///< share in [0, 1]; unknown without a deployment
  int failed = 0;                              ///< taken back, or with an incident of their service soon after
  MeanTime to_restore;                         ///< as IncidentFigures::to_resolve
  int never_live = 0;                          ///< stopped before users saw them: no deployments
};
/// A live release failed when an incident of its service was opened within `blame` after it was live and before the
/// next one of that service was. \param deployments  all that are recorded, of any time. Pure.
[[nodiscard]] DoraFigures dora_figures(std::span<const Deployment> deployments, std::span<const Incident> incidents,
                                       WallTime from, WallTime to, Duration blame = std::chrono::hours(1));

}  // namespace serin::incidents
