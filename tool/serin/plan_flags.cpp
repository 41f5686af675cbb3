#include "plan_flags.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::tool {
namespace {

Status take_duration(const std::string& text, std::string_view option, Duration& out) {
  if (text.empty()) return {};
  const Result<Duration> value = parse_duration(text);
  if (!value) return pass(value.error().in(option));
  out = *value;
  return {};
}

Status take_policy(const std::string& text, std::string_view option, rollout::OnUndecided& out) {
  if (text.empty()) return {};
  const auto policy = rollout::parse_on_undecided(text);
  if (!policy)
    return fail(Errc::invalid_argument,
                fmt::format("{}: one of hold, extend, advance, rollback, not '{}'", option, text));
  out = *policy;
  return {};
}

}  // namespace

void add_plan_flags(CLI::App& verb, PlanFlags& flags) {
  verb.add_option("--stages", flags.stages, "Percentages before 100, growing: 5,50,95");
  verb.add_option("--monitoring-duration", flags.monitoring_duration, "Longest time of a stage: 20s, 5m");
  verb.add_option("--min-stage", flags.min_stage, "Shortest time of a stage");
  verb.add_option("--ready-timeout", flags.ready_timeout, "For the new replicas to become ready");
  verb.add_option("--healthy-absolute", flags.healthy_absolute,
                  "Error rate above the old one's that is still healthy: 0.001");
  verb.add_option("--on-undecided", flags.on_undecided, "At the last stage: hold, extend, advance or rollback");
  verb.add_option("--on-undecided-early", flags.on_undecided_early, "The same at a stage before it");
}

Result<rollout::Plan> make_plan(rollout::PlanOptions plan, Duration ready_timeout, const PlanFlags& flags,
                                const config::TargetSpec& target) {
  plan.ready_timeout = ready_timeout;
  if (!flags.stages.empty()) {
    SERIN_TRY(plan.stages, rollout::parse_stages(flags.stages));
  }
  SERIN_CHECK(take_duration(flags.monitoring_duration, "--monitoring-duration", plan.monitoring_duration));
  // A shorter stage than the file's shortest is meant to be that short.
  if (flags.min_stage.empty()) plan.min_stage = std::min(plan.min_stage, plan.monitoring_duration);
  SERIN_CHECK(take_duration(flags.min_stage, "--min-stage", plan.min_stage));
  SERIN_CHECK(take_duration(flags.ready_timeout, "--ready-timeout", plan.ready_timeout));
  SERIN_CHECK(take_policy(flags.on_undecided, "--on-undecided", plan.on_undecided));
  SERIN_CHECK(take_policy(flags.on_undecided_early, "--on-undecided-early", plan.on_undecided_early));
  if (flags.healthy_absolute) plan.judge.healthy.absolute = *flags.healthy_absolute;
  SERIN_CHECK(config::check_plan(target, plan));
  return rollout::Plan::make(std::move(plan));
}

}  // namespace serin::tool
