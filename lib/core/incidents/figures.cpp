#include "serin/incidents/figures.hpp"

#include <algorithm>

#include "serin/rollout/report.hpp"

namespace serin::incidents {
namespace {

class Mean {
 public:
  void add(Duration one) {
    sum_ += std::max(one, Duration::zero());  // a calendar that jumped back makes nothing shorter than nothing
    ++n_;
  }
  [[nodiscard]] MeanTime result() const { return {.mean = n_ == 0 ? std::nullopt : std::optional(sum_ / n_), .n = n_}; }

 private:
  Duration sum_{};
  int n_ = 0;
};

bool in(std::optional<WallTime> at, WallTime from, WallTime to) { return at && *at >= from && *at < to; }

/// Whether an incident can be laid at this release's door.
bool is_blamed(const Deployment& deployment, std::span<const Deployment> all, std::span<const Incident> incidents,
               Duration blame) {
  WallTime until = *deployment.live_at + blame;
  for (const Deployment& next : all)
    if (next.service == deployment.service && next.live_at && *next.live_at > *deployment.live_at)
      until = std::min(until, *next.live_at);
  return std::ranges::any_of(incidents, [&](const Incident& incident) {
    return incident.service == deployment.service && in(incident.opened, *deployment.live_at, until);
  });
}

}  // namespace

IncidentFigures incident_figures(std::span<const Incident> incidents, WallTime from, WallTime to) {
  IncidentFigures out;
  Mean detect;
  Mean acknowledge;
  Mean resolve;
  for (const Incident& incident : incidents) {
    if (!incident.resolved) ++out.unresolved;
    if (in(incident.opened, from, to)) {
      ++out.opened;
      detect.add(incident.opened - incident.began);
    }
    if (in(incident.acknowledged, from, to)) acknowledge.add(*incident.acknowledged - incident.opened);
    if (in(incident.resolved, from, to)) resolve.add(*incident.resolved - incident.opened);
  }
  out.to_detect = detect.result();
  out.to_acknowledge = acknowledge.result();
  out.to_resolve = resolve.result();
  return out;
}

std::string_view deployment_end_name(DeploymentEnd end) noexcept {
  switch (end) {
    case DeploymentEnd::live: return "live";
    case DeploymentEnd::taken_back: return "taken_back";
    case DeploymentEnd::never_live: return "never_live";
    case DeploymentEnd::going_on: return "going_on";
  }
  return "going_on";
}

Deployment deployment_of(const rollout::Record& record) {
  const rollout::Report report = rollout::make_report(record);
  Deployment out{.service = record.service.str(), .release = record.candidate.name.str(), .began = record.created};
  // A split above 0 that was set is what users may have seen, whether or not it was read back.
  const bool was_seen = std::ranges::any_of(record.events, [&](const rollout::Event& event) {
    return event.kind == rollout::EventKind::set_split && std::ranges::any_of(event.split, [&](const Share& share) {
             return share.release == record.candidate.name && share.percent > 0;
           });
  });
  switch (record.progress.state) {
    case rollout::State::promoted: out.end = DeploymentEnd::live; break;
    case rollout::State::rolled_back:
    case rollout::State::rollback_incomplete:
      out.end = was_seen ? DeploymentEnd::taken_back : DeploymentEnd::never_live;
      break;
    case rollout::State::failed_to_start: out.end = DeploymentEnd::never_live; break;
    case rollout::State::starting:
    case rollout::State::zero:
    case rollout::State::stage:
    case rollout::State::promoting:
    case rollout::State::restoring:
    case rollout::State::held: break;
  }
  if (report.promoted_at) out.live_at = record.created + (*report.promoted_at - record.created_at);
  if (const auto label = record.candidate.labels.find("commit_time"); label != record.candidate.labels.end())
    if (const auto at = parse_rfc3339(label->second)) out.commit_at = *at;
  return out;
}

DoraFigures dora_figures(std::span<const Deployment> deployments, std::span<const Incident> incidents, WallTime from,
                         WallTime to, Duration blame) {
  DoraFigures out;
  Mean lead;
  for (const Deployment& deployment : deployments) {
    // One that was taken back counts when it began: its end is the end of trouble, not of the change.
    if (!in(deployment.end == DeploymentEnd::live ? deployment.live_at : deployment.began, from, to)) continue;
    switch (deployment.end) {
      case DeploymentEnd::live:
        ++out.deployments;
        if (is_blamed(deployment, deployments, incidents, blame)) ++out.failed;
        if (deployment.commit_at)
          lead.add(*deployment.live_at - *deployment.commit_at);
        else
          ++out.lead_unknown;
        break;
      case DeploymentEnd::taken_back:
        ++out.deployments;
        ++out.failed;
        break;
      case DeploymentEnd::never_live: ++out.never_live; break;
      case DeploymentEnd::going_on: break;
    }
  }
  if (!deployments.empty() && to > from)
    out.per_day = out.deployments / (seconds_of(to - from) / seconds_of(std::chrono::days(1)));
  if (out.deployments > 0) out.change_failures = static_cast<double>(out.failed) / out.deployments;
  out.lead_time = lead.result();
  out.to_restore = incident_figures(incidents, from, to).to_resolve;
  return out;
}

}  // namespace serin::incidents
