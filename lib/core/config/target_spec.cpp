#include "serin/config/target_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "specs.hpp"

namespace serin::config {
namespace {

/// The newest count is this old at most while all is well: the point before is whole, the next one on its way.
Duration oldest_count(const CloudRunPlace& place) { return place.counts_late + 2 * place.counts_every; }

CloudRunPlace read_cloud_run(YamlMap& map) {
  CloudRunPlace place{.project = map.required_text("project"), .region = map.required_text("region")};
  const auto word = [&](std::string_view key, const std::string& text) {
    const bool good = std::ranges::all_of(text, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '.';
    });
    if (!good) map.complain(key, fmt::format("'{}' is no {} of Google Cloud", text, key));
  };
  word("project", place.project);
  word("region", place.region);
  place.counts_every = map.duration("counts_every", place.counts_every);
  if (place.counts_every < 1s || place.counts_every > 10min || place.counts_every % 1s != Duration::zero())
    map.complain("counts_every", "counts_every must be whole seconds, 1s to 10m");
  place.counts_late = map.duration("counts_late", place.counts_late);
  if (place.counts_late < 0s || place.counts_late > 1h) map.complain("counts_late", "counts_late must be 0s to 1h");
  map.done();
  return place;
}

Status check_cloud_run_plan(const CloudRunPlace& place, const rollout::PlanOptions& plan) {
  for (const double percent : plan.stages)
    if (percent != std::round(percent))
      return fail(Errc::invalid_argument,
                  fmt::format("stages: {:.4g} %: Cloud Run gives out whole percents only", percent));
  if (const Duration oldest = oldest_count(place); plan.blind_timeout <= oldest)
    return fail(
        Errc::invalid_argument,
        fmt::format("blind_timeout must be more than {} on Cloud Run, not {}: that old is the newest count there "
                    "while all is well",
                    format_duration(oldest), format_duration(plan.blind_timeout)));
  return {};
}

}  // namespace

std::string target_text(const TargetSpec& target) {
  if (const auto& place = target.cloud_run)
    return fmt::format("Cloud Run (project {}, region {})", place->project, place->region);
  return "this machine";
}

TargetSpec read_target(YamlMap& map, TargetSpec base) {
  auto target = map.map("target");
  if (!target) return base;
  TargetSpec own;
  if (auto place = target->map("cloud_run")) own.cloud_run = read_cloud_run(*place);
  // "target: {local: {}}" is how one service of a fleet elsewhere stays here.
  auto local = target->map("local");
  if (local) local->done();
  target->done();
  if (own.is_local() && !local) map.complain("target", "target must name one of cloud_run, local");
  if (!own.is_local() && local) map.complain("target", "target must name one of them, not two");
  return own;
}

rollout::PlanOptions default_plan(const TargetSpec& target) {
  rollout::PlanOptions plan;
  const auto& place = target.cloud_run;
  if (!place) return plan;
  plan.blind_timeout = oldest_count(*place) + std::max<Duration>(place->counts_every, 2s);
  plan.apply_timeout = 1min;
  plan.restore_timeout = 2min;
  plan.ready_timeout = 5min;
  plan.readiness_grace = 30s;
  plan.call_timeout = 20s;
  plan.look_every = std::clamp<Duration>(place->counts_every / 12, 500ms, 5s);
  return plan;
}

Status check_plan(const TargetSpec& target, const rollout::PlanOptions& plan) {
  if (target.cloud_run) return check_cloud_run_plan(*target.cloud_run, plan);
  return {};
}

Status check_release(const TargetSpec& target, const ServiceName& service, const ReleaseSpec& release) {
  if (!target.cloud_run) return {};
  const std::string& name = release.name.str();
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (!name.starts_with(service.str() + "-") || name.size() > 63 || name.ends_with('-') ||
      !std::ranges::all_of(name, allowed))
    return fail(
        Errc::invalid_argument,
        fmt::format("release {}: a revision of {} is called {}-SOMETHING on Cloud Run, in small letters, digits "
                    "and '-', 63 at most",
                    name, service, service));
  if (release.replicas != 1)
    return fail(
        Errc::invalid_argument,
        fmt::format("release {}: replicas must be 1 on Cloud Run, which counts instances by itself; see scaling",
                    name));
  return {};
}

}  // namespace serin::config
