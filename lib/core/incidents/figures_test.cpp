// Goal: figures say what happened and of how many, and nothing where nothing is known. Method: a day of incidents and
// rollouts whose figures are worked out by hand.
#include "serin/incidents/figures.hpp"

#include <gtest/gtest.h>

namespace serin::incidents {
namespace {

const WallTime day = parse_rfc3339("2026-11-25T00:00:00Z").value();
WallTime at(int minute) { return day + std::chrono::minutes(minute); }

Incident incident(int opened, std::optional<int> acknowledged, std::optional<int> resolved) {
  return {.service = "worker",
          .began = at(opened) - 90s,
          .opened = at(opened),
          .acknowledged = acknowledged ? std::optional(at(*acknowledged)) : std::nullopt,
          .resolved = resolved ? std::optional(at(*resolved)) : std::nullopt};
}

TEST(IncidentFigures, are_means_with_their_numbers) {
  const std::vector<Incident> all{incident(-30, {}, 10),      // resolved today, opened yesterday
                                  incident(60, 65, 80),       // all of it today
                                  incident(100, {}, 133),     // nobody took it
                                  incident(1430, 1450, {})};  // goes on; taken tomorrow
  const IncidentFigures figures = incident_figures(all, at(0), at(1440));
  EXPECT_EQ(figures.opened, 3);
  EXPECT_EQ(figures.unresolved, 1);
  EXPECT_EQ(figures.to_detect.mean, 90s);
  EXPECT_EQ(figures.to_detect.n, 3);
  EXPECT_EQ(figures.to_acknowledge.mean, 5min);
  EXPECT_EQ(figures.to_acknowledge.n, 1);
  EXPECT_EQ(figures.to_resolve.mean, (40min + 20min + 33min) / 3);
  EXPECT_EQ(figures.to_resolve.n, 3);
}

TEST(IncidentFigures, are_unknown_without_incidents) {
  const IncidentFigures figures = incident_figures({}, at(0), at(1440));
  EXPECT_EQ(figures.opened, 0);
  EXPECT_FALSE(figures.to_resolve.mean) << "no incident is no MTTR of 0";
  EXPECT_EQ(figures.to_resolve.n, 0);
}

Deployment deployment(DeploymentEnd end, int began, std::optional<int> live, std::optional<int> commit = {}) {
  return {.service = "worker",
          .release = "v2",
          .began = at(began),
          .end = end,
          .live_at = live ? std::optional(at(*live)) : std::nullopt,
          .commit_at = commit ? std::optional(at(*commit)) : std::nullopt};
}

TEST(DoraFigures, count_what_users_saw) {
  const std::vector<Deployment> all{
      deployment(DeploymentEnd::live, 10, 20, -100),  deployment(DeploymentEnd::live, 300, 320),
      deployment(DeploymentEnd::taken_back, 500, {}), deployment(DeploymentEnd::never_live, 600, {}),
      deployment(DeploymentEnd::going_on, 700, {}),   deployment(DeploymentEnd::live, -50, -40)};
  // The second one is blamed for an incident half an hour later; that of minute 200 is nobody's.
  const std::vector<Incident> incidents{incident(200, {}, 210), incident(350, {}, 370)};
  const DoraFigures dora = dora_figures(all, incidents, at(0), at(1440));
  EXPECT_EQ(dora.deployments, 3);
  EXPECT_DOUBLE_EQ(dora.per_day.value(), 3);
  EXPECT_EQ(dora.lead_time.mean, 2h);
  EXPECT_EQ(dora.lead_time.n, 1);
  EXPECT_EQ(dora.lead_unknown, 1);
  EXPECT_EQ(dora.failed, 2);
  EXPECT_DOUBLE_EQ(dora.change_failures.value(), 2.0 / 3);
  EXPECT_EQ(dora.never_live, 1);
  EXPECT_EQ(dora.to_restore.mean, 15min);
}

TEST(DoraFigures, blame_the_newest_release_only) {
  const std::vector<Deployment> all{deployment(DeploymentEnd::live, 0, 10), deployment(DeploymentEnd::live, 20, 30)};
  EXPECT_EQ(dora_figures(all, std::vector{incident(40, {}, {})}, at(0), at(1440)).failed, 1);
  EXPECT_EQ(dora_figures(all, std::vector{incident(120, {}, {})}, at(0), at(1440)).failed, 0) << "an hour is over";
  Incident other = incident(40, {}, {});
  other.service = "admin";
  EXPECT_EQ(dora_figures(all, std::vector{other}, at(0), at(1440)).failed, 0);
}

TEST(DoraFigures, are_unknown_where_nothing_was_recorded) {
  const DoraFigures none = dora_figures({}, {}, at(0), at(1440));
  EXPECT_FALSE(none.per_day) << "no rollout was ever recorded: nobody knows how often it is deployed";
  EXPECT_FALSE(none.change_failures);
  EXPECT_FALSE(none.lead_time.mean);
  EXPECT_FALSE(none.to_restore.mean);
  const DoraFigures quiet = dora_figures(std::vector{deployment(DeploymentEnd::live, -50, -40)}, {}, at(0), at(1440));
  EXPECT_EQ(quiet.per_day, 0) << "rollouts are recorded, and none was today";
  EXPECT_FALSE(quiet.change_failures);
}

rollout::Event split_event(std::int64_t seq, double percent, Duration since) {
  const auto v1 = ReleaseName::make("v1").value();
  const auto v2 = ReleaseName::make("v2").value();
  const Split split = percent >= 100 ? Split{{v1, 0}, {v2, 100}} : Split{{v1, 100 - percent}, {v2, percent}};
  return {.seq = seq,
          .kind = rollout::EventKind::set_split,
          .split = split,
          .seen = split,
          .at = Instant(90s) + since,
          .done = Instant(90s) + since};
}

TEST(Deployments, come_from_a_rollouts_journal) {
  rollout::Record record{.service = ServiceName::make("worker").value(),
                         .candidate = {.name = ReleaseName::make("v2").value(),
                                       .labels = {{"commit", "0a1b"}, {"commit_time", "2026-11-24T22:00:00Z"}}},
                         .baseline = ReleaseName::make("v1").value(),
                         .created = at(0),
                         .created_at = Instant(90s)};
  record.progress.state = rollout::State::failed_to_start;
  EXPECT_EQ(deployment_of(record).end, DeploymentEnd::never_live);
  record.progress.state = rollout::State::rolled_back;
  EXPECT_EQ(deployment_of(record).end, DeploymentEnd::never_live) << "it never got traffic";
  record.events.push_back(split_event(1, 5, 10s));
  EXPECT_EQ(deployment_of(record).end, DeploymentEnd::taken_back);
  record.progress.state = rollout::State::held;
  EXPECT_EQ(deployment_of(record).end, DeploymentEnd::going_on);
  record.progress.state = rollout::State::promoted;
  record.events.push_back(split_event(2, 100, 5min));
  const Deployment live = deployment_of(record);
  EXPECT_EQ(live.end, DeploymentEnd::live);
  EXPECT_EQ(live.live_at, at(5));
  EXPECT_EQ(live.commit_at, at(-120));
  EXPECT_EQ(live.service, "worker");
  record.candidate.labels = {{"commit_time", "yesterday"}};
  EXPECT_FALSE(deployment_of(record).commit_at) << "what cannot be read is unknown";
}

}  // namespace
}  // namespace serin::incidents
