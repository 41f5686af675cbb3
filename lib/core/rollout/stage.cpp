#include "serin/rollout/stage.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::rollout {
namespace {

Decision undecided(const PlanOptions& plan, const Sight& sight, const std::string& reason) {
  const OnUndecided policy = sight.last ? plan.on_undecided : plan.on_undecided_early;
  const std::string why = "undecided: " + reason;
  switch (policy) {
    case OnUndecided::hold: return {Move::hold, why + "; the plan says hold"};
    case OnUndecided::rollback: return {Move::roll_back, why + "; the plan says rollback"};
    case OnUndecided::advance:
      return {Move::advance, why + "; the plan says advance, so it goes on without a proof of health"};
    case OnUndecided::extend:
      if (sight.extensions < plan.max_extensions)
        return {Move::extend, fmt::format("{}; extended ({} of {})", why, sight.extensions + 1, plan.max_extensions)};
      return {Move::hold, fmt::format("{}; extended {} times already, so it is held", why, sight.extensions)};
  }
  return {Move::hold, why};
}

}  // namespace

Decision decide(const PlanOptions& plan, const Sight& sight) {
  const Findings& findings = sight.findings;
  if (!sight.baseline_dead.empty())
    return {Move::hold, "the old version is not alive, so nothing is rolled back onto it: " + sight.baseline_dead};
  if (!findings.both_fail.empty()) return {Move::hold, findings.both_fail};
  if (!sight.foreign_split.empty()) return {Move::hold, sight.foreign_split};
  if (!sight.candidate_fault.empty()) return {Move::roll_back, sight.candidate_fault};
  if (!findings.all_failed.empty()) return {Move::roll_back, findings.all_failed};
  if (!findings.incident.empty()) return {Move::hold, "an incident of both versions: " + findings.incident};
  if (!findings.share_off.empty()) return {Move::hold, findings.share_off};
  if (findings.verdict == Finding::worse) return {Move::roll_back, "worse: " + findings.reason};
  if (!sight.blind.empty()) return {Move::hold, sight.blind};
  if (!sight.orders_known || !sight.paused.empty()) return {};
  if (!sight.ordered.empty()) {
    const bool proved = !sight.traffic || findings.verdict == Finding::healthy;
    return {Move::advance, proved ? sight.ordered : sight.ordered + ", without a proof of health: " + findings.reason};
  }

  // What had to be shown was shown before a person was asked.
  if (!sight.may_leave.empty()) return {Move::advance, sight.may_leave};

  const bool over = sight.now >= sight.ends;
  if (!sight.traffic) return over ? Decision{Move::advance, "ready, and stayed so at 0 %"} : Decision{};
  if (findings.verdict == Finding::healthy) {
    const bool early = plan.early_promotion && sight.now - sight.entered >= plan.min_stage;
    if (over || early) return {Move::advance, "healthy: " + findings.reason};
    return {};
  }
  if (!over || !sight.counted) return {};
  return undecided(plan, sight, findings.reason);
}

Decision decide_gate(const PlanOptions& plan, const Sight& sight, const GateAnswer& answer, std::string_view who) {
  switch (answer.verdict) {
    case GateVerdict::pass: return {Move::advance, fmt::format("the {} passed: {}", who, answer.reason)};
    case GateVerdict::fail: return {Move::roll_back, fmt::format("the {} failed: {}", who, answer.reason)};
    case GateVerdict::unknown: break;
  }
  return undecided(plan, sight, fmt::format("the {} do not say: {}", who, answer.reason));
}

Condition condition_of(const std::vector<Replica>& replicas, int expected, std::int64_t restarts) {
  Condition condition;
  std::int64_t restarts_now = 0;
  int ready = 0;
  for (const Replica& replica : replicas) {
    restarts_now += replica.restarts;
    switch (replica.state) {
      case ReplicaState::ready: ++ready; break;
      case ReplicaState::starting:
      case ReplicaState::not_ready: condition.not_ready = replicas_text({replica}); break;
      case ReplicaState::stopped:
      case ReplicaState::exited:
      case ReplicaState::crash_looping: condition.fault = replicas_text({replica}); break;
    }
  }
  if (condition.fault.empty() && restarts_now > restarts)
    condition.fault = fmt::format("ended by itself {} times: {}", restarts_now - restarts, replicas_text(replicas));
  condition.all_ready = ready >= expected && condition.fault.empty() && condition.not_ready.empty();
  if (!condition.all_ready && condition.fault.empty() && condition.not_ready.empty())
    condition.not_ready = fmt::format("{} of {} replicas are there", replicas.size(), expected);
  return condition;
}

std::string replicas_text(const std::vector<Replica>& replicas) {
  std::string out;
  for (const Replica& replica : replicas) {
    out += fmt::format("{}{} is {}", out.empty() ? "" : "; ", replica.name, replica_state_name(replica.state));
    if (!replica.reason.empty()) out += fmt::format(" ({})", replica.reason);
    if (!replica.log.empty()) out += fmt::format(", its output is in {}", replica.log);
  }
  return out.empty() ? "no replica" : out;
}

}  // namespace serin::rollout
