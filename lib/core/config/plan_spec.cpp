#include "specs.hpp"

namespace serin::config {
namespace {

std::size_t index_of(rollout::OnUndecided policy) { return static_cast<std::size_t>(policy); }

judge::Margin read_margin(YamlMap& judge, std::string_view key, judge::Margin base) {
  if (auto margin = judge.map(key)) {
    base.ratio = margin->number("ratio", base.ratio);
    base.absolute = margin->number("absolute", base.absolute);
    margin->done();
  }
  return base;
}

rollout::GatePlan read_gate(YamlMap& map, std::string_view key, rollout::GatePlan base) {
  if (auto gate = map.map(key)) {
    base.file = gate->required_text("file");
    base.before = gate->flag("before", base.before);
    base.between = gate->flag("between", base.between);
    base.after = gate->flag("after", base.after);
    base.timeout = gate->duration("timeout", base.timeout);
    gate->done();
  }
  return base;
}

}  // namespace

rollout::PlanOptions read_plan(YamlMap& map, rollout::PlanOptions plan) {
  // In the order of the enumeration, so that a position is a value.
  const std::vector<std::string> policies{"hold", "extend", "advance", "rollback"};
  plan.stages = map.numbers("stages", plan.stages);
  plan.monitoring_duration = map.duration("monitoring_duration", plan.monitoring_duration);
  plan.zero_duration = map.duration("zero_duration", plan.zero_duration);
  plan.on_undecided =
      static_cast<rollout::OnUndecided>(map.choice("on_undecided", policies, index_of(plan.on_undecided)));
  plan.on_undecided_early =
      static_cast<rollout::OnUndecided>(map.choice("on_undecided_early", policies, index_of(plan.on_undecided_early)));
  plan.max_extensions = static_cast<int>(map.integer("max_extensions", plan.max_extensions));
  plan.early_promotion = map.flag("early_promotion", plan.early_promotion);
  plan.min_stage = map.duration("min_stage", plan.min_stage);
  plan.ready_timeout = map.duration("ready_timeout", plan.ready_timeout);
  plan.restore_timeout = map.duration("restore_timeout", plan.restore_timeout);
  if (auto judge = map.map("judge")) {
    plan.judge.alpha = judge->number("alpha", plan.judge.alpha);
    plan.judge.beta = judge->number("beta", plan.judge.beta);
    plan.judge.tolerable = read_margin(*judge, "tolerable", plan.judge.tolerable);
    plan.judge.healthy = read_margin(*judge, "healthy", plan.judge.healthy);
    plan.judge.dispersion = judge->number("dispersion", plan.judge.dispersion);
    plan.judge.min_canary_errors = judge->integer("min_canary_errors", plan.judge.min_canary_errors);
    if (auto past = judge->map("past")) {
      plan.past.window = past->duration("window", plan.past.window);
      plan.past.least = past->duration("least", plan.past.least);
      plan.past.tolerable.ratio = past->number("ratio", plan.past.tolerable.ratio);
      plan.past.tolerable.absolute = past->number("absolute", plan.past.tolerable.absolute);
      plan.past.attribution_wait = past->duration("attribution_wait", plan.past.attribution_wait);
      past->done();
    }
    if (auto latency = judge->map("latency")) {
      plan.latency.judged = latency->flag("judged", plan.latency.judged);
      plan.latency.tolerable = latency->duration("tolerable", plan.latency.tolerable);
      plan.latency.warm_up = latency->duration("warm_up", plan.latency.warm_up);
      latency->done();
    }
    judge->done();
  }
  if (auto approve = map.map("approve")) {
    plan.approval.first = approve->flag("first", plan.approval.first);
    plan.approval.before = approve->numbers("before", plan.approval.before);
    plan.approval.timeout = approve->duration("timeout", plan.approval.timeout);
    approve->done();
  }
  plan.gate = read_gate(map, "checks", plan.gate);
  plan.smoke = read_gate(map, "smoke", plan.smoke);
  map.done();
  // Checked here as a whole, so that a bad plan is found when the file is read and not when it is needed.
  map.check("stages", rollout::Plan::make(plan));
  return plan;
}

}  // namespace serin::config
