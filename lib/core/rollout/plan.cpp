#include "serin/rollout/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "serin/base/text.hpp"

namespace serin::rollout {
namespace {

Status at_least(std::string_view field, Duration value, Duration least) {
  if (value >= least) return {};
  return fail(Errc::invalid_argument,
              fmt::format("{} must be {} or more, not {}", field, format_duration(least), format_duration(value)));
}

// Written so that NaN is out of every range.
Status inside(std::string_view field, double value, double above, double below) {
  if (value > above && value < below) return {};
  return fail(Errc::invalid_argument,
              fmt::format("{} must be above {} and below {}, not {}", field, above, below, value));
}

Status at_least(std::string_view field, double value, double least) {
  if (value >= least && std::isfinite(value)) return {};
  return fail(Errc::invalid_argument, fmt::format("{} must be {} or more, not {}", field, least, value));
}

Status check_stages(const std::vector<double>& stages) {
  if (stages.empty()) return fail(Errc::invalid_argument, "stages must name at least one percentage, like 5,50,95");
  double before = 0;
  for (const double percent : stages) {
    SERIN_CHECK(inside("each of stages", percent, 0, 100));
    if (percent <= before)
      return fail(Errc::invalid_argument, fmt::format("stages must grow, but {} does not come after {} in {}", percent,
                                                      before, fmt::join(stages, ",")));
    before = percent;
  }
  return {};
}

Status check_gate(std::string_view field, const GatePlan& gate) {
  SERIN_CHECK(at_least(field, gate.timeout, 100ms));
  if (gate.timeout <= 1min) return {};
  return fail(Errc::invalid_argument, fmt::format("{} must be 1m or less, not {}: nobody watches meanwhile", field,
                                                  format_duration(gate.timeout)));
}

Status check_approval(const ApprovalPlan& approval, const std::vector<double>& stages) {
  for (const double percent : approval.before)
    if (percent != 100 && std::ranges::find(stages, percent) == stages.end())
      return fail(Errc::invalid_argument,
                  fmt::format("approve.before names {} %, which is none of the stages {} and not 100", percent,
                              fmt::join(stages, ",")));
  return at_least("approve.timeout", approval.timeout, 1s);
}

Status check_judge(const judge::ErrorJudgeOptions& judge) {
  SERIN_CHECK(inside("judge.alpha", judge.alpha, 0, 1));
  SERIN_CHECK(inside("judge.beta", judge.beta, 0, 1));
  SERIN_CHECK(at_least("judge.tolerable.ratio", judge.tolerable.ratio, 1));
  SERIN_CHECK(at_least("judge.tolerable.absolute", judge.tolerable.absolute, 0));
  SERIN_CHECK(inside("judge.tolerable.absolute", judge.tolerable.absolute, -1, 1));
  SERIN_CHECK(at_least("judge.healthy.ratio", judge.healthy.ratio, judge.tolerable.ratio));
  SERIN_CHECK(at_least("judge.healthy.absolute", judge.healthy.absolute, judge.tolerable.absolute));
  SERIN_CHECK(inside("judge.healthy.absolute", judge.healthy.absolute, -1, 1));
  SERIN_CHECK(at_least("judge.dispersion", judge.dispersion, 1));
  SERIN_CHECK(at_least("judge.min_canary_errors", static_cast<double>(judge.min_canary_errors), 1));
  SERIN_CHECK(at_least("judge.planned_buckets", static_cast<double>(judge.planned_buckets), 1));
  return at_least("judge.restart_every", static_cast<double>(judge.restart_every), 1);
}

Status check_past(const PastPlan& past) {
  SERIN_CHECK(at_least("judge.past.window", past.window, 0s));
  if (past.window > 2h)
    return fail(Errc::invalid_argument,
                fmt::format("judge.past.window must be 2h or less, not {}: counts are not kept longer",
                            format_duration(past.window)));
  SERIN_CHECK(at_least("judge.past.least", past.least, 1min));
  SERIN_CHECK(at_least("judge.past.ratio", past.tolerable.ratio, 1));
  SERIN_CHECK(at_least("judge.past.absolute", past.tolerable.absolute, 0));
  SERIN_CHECK(inside("judge.past.absolute", past.tolerable.absolute, -1, 1));
  return at_least("judge.past.attribution_wait", past.attribution_wait, 0s);
}

Status check_latency(const LatencyPlan& latency) {
  SERIN_CHECK(at_least("judge.latency.tolerable", latency.tolerable, 0s));
  if (latency.tolerable > 1min)
    return fail(Errc::invalid_argument,
                fmt::format("judge.latency.tolerable must be 1m or less, not {}", format_duration(latency.tolerable)));
  return at_least("judge.latency.warm_up", latency.warm_up, 0s);
}

}  // namespace

std::string_view on_undecided_name(OnUndecided policy) noexcept {
  switch (policy) {
    case OnUndecided::hold: return "hold";
    case OnUndecided::extend: return "extend";
    case OnUndecided::advance: return "advance";
    case OnUndecided::rollback: return "rollback";
  }
  return "hold";
}

std::optional<OnUndecided> parse_on_undecided(std::string_view text) noexcept {
  for (const auto policy : {OnUndecided::hold, OnUndecided::extend, OnUndecided::advance, OnUndecided::rollback})
    if (text == on_undecided_name(policy)) return policy;
  return std::nullopt;
}

double percent_of(const std::vector<double>& stages, int stage) {
  return stage < 0 ? 0 : stages.at(static_cast<std::size_t>(stage));
}

double percent_after(const std::vector<double>& stages, int stage) {
  return stage + 1 < std::ssize(stages) ? percent_of(stages, stage + 1) : 100;
}

Result<Plan> Plan::make(PlanOptions options) {
  SERIN_CHECK(check_stages(options.stages));
  SERIN_CHECK(at_least("monitoring_duration", options.monitoring_duration, 1s));
  SERIN_CHECK(at_least("zero_duration", options.zero_duration, 0s));
  SERIN_CHECK(at_least("max_extensions", options.max_extensions, 0));
  SERIN_CHECK(at_least("min_stage", options.min_stage, 0s));
  if (options.min_stage > options.monitoring_duration)
    return fail(Errc::invalid_argument,
                fmt::format("min_stage must not exceed monitoring_duration ({}), not {}",
                            format_duration(options.monitoring_duration), format_duration(options.min_stage)));
  SERIN_CHECK(at_least("ready_timeout", options.ready_timeout, 1s));
  SERIN_CHECK(at_least("restore_timeout", options.restore_timeout, 1s));
  SERIN_CHECK(at_least("apply_timeout", options.apply_timeout, 100ms));
  SERIN_CHECK(at_least("blind_timeout", options.blind_timeout, 2s));
  SERIN_CHECK(at_least("call_timeout", options.call_timeout, 100ms));
  SERIN_CHECK(at_least("look_every", options.look_every, 100ms));
  SERIN_CHECK(at_least("readiness_grace", options.readiness_grace, 0s));
  SERIN_CHECK(at_least("all_failed", static_cast<double>(options.all_failed), 1));
  SERIN_CHECK(check_judge(options.judge));
  SERIN_CHECK(check_past(options.past));
  SERIN_CHECK(check_latency(options.latency));
  SERIN_CHECK(check_approval(options.approval, options.stages));
  SERIN_CHECK(check_gate("checks.timeout", options.gate));
  SERIN_CHECK(check_gate("smoke.timeout", options.smoke));
  return Plan(std::move(options));
}

Result<std::vector<double>> parse_stages(std::string_view text) {
  std::vector<double> stages;
  for (std::string_view piece : split(text, ',')) {
    piece = trim(piece);
    if (piece.ends_with('%')) piece = trim(piece.substr(0, piece.size() - 1));
    const auto percent = to_double(piece);
    if (!percent || !std::isfinite(*percent))
      return fail(Errc::invalid_argument, fmt::format("stages must be percentages like 5,50,95, not '{}'", text));
    stages.push_back(*percent);
  }
  return stages;
}

}  // namespace serin::rollout
