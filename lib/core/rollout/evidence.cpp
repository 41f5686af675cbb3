#include "serin/rollout/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "serin/base/error.hpp"

namespace serin::rollout {
namespace {

// How far a router may miss a share and still have done what it was told: its weights are coarse.
constexpr double coarseness = 0.003;
// Natural log of the evidence at which chance is ruled out. Requests of one connection stay together, so they are not
// given out quite one by one: it is far beyond any habit.
constexpr double beyond_chance = 18.0;

judge::Bucket counts_of(const Bucket& bucket) {
  return {.canary_requests = bucket.canary_requests,
          .canary_errors = bucket.canary_errors,
          .baseline_requests = bucket.baseline_requests,
          .baseline_errors = bucket.baseline_errors};
}

void sum(Bucket& total, const Bucket& bucket) {
  total.canary_requests += bucket.canary_requests;
  total.canary_errors += bucket.canary_errors;
  total.canary_hidden += bucket.canary_hidden;
  total.baseline_requests += bucket.baseline_requests;
  total.baseline_errors += bucket.baseline_errors;
  total.baseline_hidden += bucket.baseline_hidden;
  total.unattributed += bucket.unattributed;
  total.lost += bucket.lost;
}

/// Adds an arm's histogram of a second to what is known of it; one that is not known makes the sum so.
void sum(std::optional<LatencyHistogram>& total, const TrafficCount& count) {
  if (!count.latency && count.requests > 0) total.reset();
  if (total && count.latency) total->add(*count.latency);
}

}  // namespace

Bucket make_bucket(const TrafficSecond& second, const ReleaseName& candidate, int stage) {
  Bucket bucket{.second = second.second,
                .stage = stage,
                .unattributed = second.unattributed,
                .lost = second.lost,
                .canary_latency = LatencyHistogram(),
                .baseline_latency = LatencyHistogram()};
  for (const TrafficCount& count : second.counts) {
    const bool canary = count.release == candidate;
    (canary ? bucket.canary_requests : bucket.baseline_requests) += count.requests;
    (canary ? bucket.canary_errors : bucket.baseline_errors) += count.errors;
    (canary ? bucket.canary_hidden : bucket.baseline_hidden) += count.hidden;
    sum(canary ? bucket.canary_latency : bucket.baseline_latency, count);
  }
  return bucket;
}

std::optional<judge::LatencyPast> learn_latency(const TrafficWindow& window, const ReleaseName& baseline) {
  judge::LatencyLearner learner(latency_edges_ms().size() + 1);
  for (const TrafficSecond& second : window.seconds) {
    const Bucket bucket = make_bucket(second, baseline, -1);
    if (bucket.baseline_requests == 0 && bucket.unattributed == 0 && bucket.lost == 0 && bucket.canary_latency)
      learner.add(bucket.canary_latency->counts());
  }
  if (learner.requests() == 0) return std::nullopt;
  return learner.past();
}

judge::History learn(const PastPlan& plan, const TrafficWindow& window, const ReleaseName& baseline) {
  judge::HistoryLearner learner;
  std::int64_t seconds = 0;
  for (const TrafficSecond& second : window.seconds) {
    std::int64_t requests = 0;
    std::int64_t errors = 0;
    bool alone = second.unattributed == 0 && second.lost == 0;
    for (const TrafficCount& count : second.counts) {
      if (count.release == baseline) {
        requests += count.requests;
        errors += count.errors;
      } else if (count.requests > 0) {
        alone = false;
      }
    }
    if (!alone || requests <= 0) continue;
    learner.add(requests, errors);
    ++seconds;
  }
  judge::History history = learner.history();
  if (std::chrono::seconds(seconds) < plan.least) history.requests = history.errors = 0;
  return history;
}

namespace {

/// The judge's options as this plan needs them: late onsets are looked for as long as its stages last.
PlanOptions with_learned(PlanOptions plan) {
  if (plan.learned) plan.judge.dispersion = std::max(plan.judge.dispersion, plan.learned->dispersion);
  const std::int64_t stage = std::chrono::ceil<std::chrono::seconds>(plan.monitoring_duration).count();
  plan.judge.planned_buckets =
      std::max(plan.judge.planned_buckets, stage * static_cast<std::int64_t>(plan.stages.size()));
  return plan;
}

judge::CanaryJudge guilt_of(const PlanOptions& plan) {
  Result<judge::CanaryJudge> made = judge::CanaryJudge::make(judge_of(plan));
  SERIN_ASSERT(made.has_value());
  return *std::move(made);
}

/// Evidence of several tests on one scale: from ln(1/alpha) on any of them is a verdict.
double strongest(const judge::CanaryEvidence& evidence, double alpha) {
  double beyond = evidence.beside - evidence.beside_needed;
  if (evidence.past_needed > 0) beyond = std::max(beyond, evidence.past - evidence.past_needed);
  if (evidence.body_needed > 0) beyond = std::max(beyond, evidence.body - evidence.body_needed);
  return beyond - std::log(alpha);
}

}  // namespace

judge::CanaryJudgeOptions judge_of(const PlanOptions& plan) {
  const std::int64_t wait = std::chrono::ceil<std::chrono::seconds>(plan.past.attribution_wait).count();
  judge::CanaryJudgeOptions options{.errors = plan.judge,
                                    .history = {},
                                    .against_past = plan.past.tolerable,
                                    .attribution_wait = wait,
                                    .latency = {}};
  if (plan.learned && plan.learned->requests > 0) options.history = plan.learned;
  if (plan.latency.judged)
    options.latency = judge::LatencyOptions{.edges_ms = {latency_edges_ms().begin(), latency_edges_ms().end()},
                                            .past = plan.learned_latency,
                                            .tolerable_ms = 1000 * seconds_of(plan.latency.tolerable)};
  return options;
}

Evidence::Evidence(const PlanOptions& plan)
    : plan_(with_learned(plan)),
      guilt_(guilt_of(plan_)),
      ratio_(plan_.judge.alpha, plan_.judge.dispersion),
      healthy_(fresh()) {}

judge::ErrorJudge Evidence::fresh() const {
  Result<judge::ErrorJudge> made = judge::ErrorJudge::make(plan_.judge);
  SERIN_ASSERT(made.has_value());
  return *std::move(made);
}

void Evidence::enter(double percent, std::int64_t second) {
  percent_ = percent;
  entered_ = second;
  healthy_ = fresh();
  if (percent > 0 && percent < 100) share_ = judge::ShareCheck(percent / 100, coarseness);
  total_ = {};
  streak_ = {};
}

void Evidence::add(Bucket& bucket) {
  const judge::Bucket counts = judge::sane(counts_of(bucket));
  guilt_.add(counts);
  add_latency(bucket);
  ratio_.add(counts);
  if (bucket.second > entered_) {
    sum(total_, bucket);
    judge::Bucket doubted = counts_of(bucket);
    doubted.canary_requests += bucket.unattributed + bucket.lost;
    doubted.canary_errors += bucket.unattributed + bucket.lost;
    if (percent_ > 0) healthy_.add(doubted);
    if (bucket.canary_requests > 0 && bucket.canary_errors < bucket.canary_requests)
      streak_ = {};
    else
      sum(streak_, bucket);
  }
  bucket.worse = strongest(guilt_.evidence(), plan_.judge.alpha);
  bucket.healthy = healthy_.evidence().healthy;
}

void Evidence::add_latency(const Bucket& bucket) {
  // By the bucket's own stage: its late seconds come before or after the next one is entered, as it happens.
  if (bucket.stage >= 0 && first_traffic_ < 0) first_traffic_ = bucket.second;
  const std::optional<judge::LatencyJudge>& judge = guilt_.latency();
  if (!judge || !bucket.canary_latency || !bucket.baseline_latency) return;
  if (bucket.stage < 0) {
    if (bucket.canary_requests == 0) guilt_.learn_latency(bucket.baseline_latency->counts());
    return;
  }
  if (std::chrono::seconds(bucket.second - first_traffic_) < plan_.latency.warm_up) return;
  // Whoever carries most is slower because of that. Without a past nobody knows by how much.
  const bool unfair = percent_of(plan_.stages, bucket.stage) > 100 * judge::fair_share;
  if (unfair && !judge->frozen()) return;
  guilt_.add_latency(bucket.canary_latency->counts(), bucket.baseline_latency->counts());
}

std::string Evidence::share_off() const {
  // A request that was retried elsewhere is in both arms; each bound is taken where that cannot accuse the router.
  const std::int64_t users =
      total_.canary_requests - total_.canary_hidden + total_.baseline_requests - total_.baseline_hidden;
  const std::int64_t most = std::min(total_.canary_requests, users);
  const std::int64_t least = std::max<std::int64_t>(0, total_.canary_requests - total_.baseline_hidden);
  if (users <= 0 || percent_ <= 0) return {};
  const double share = percent_ / 100;
  const double n = static_cast<double>(users);
  const auto text = [&](std::int64_t count) {
    return fmt::format("the router gave the new version {} of {} requests ({:.3g} %), not {:.4g} %", count, users,
                       100 * static_cast<double>(count) / n, percent_);
  };
  if (static_cast<double>(most) < share * n && share_.log_evidence(most, users) > beyond_chance) return text(most);
  if (static_cast<double>(least) > share * n && share_.log_evidence(least, users) > beyond_chance) return text(least);
  return {};
}

std::string Evidence::guilt_reason() const {
  return fmt::format("{}; {}", judge::explain(guilt_), judge::ratio_text(ratio_.interval()));
}

Findings Evidence::findings() const {
  Findings findings;
  if (streak_.canary_requests >= plan_.all_failed) {
    const std::string canary =
        fmt::format("the last {} requests to the new version all failed", streak_.canary_requests);
    if (streak_.baseline_requests > 0 && 2 * streak_.baseline_errors >= streak_.baseline_requests)
      findings.both_fail =
          fmt::format("{}, and so did {} of {} to the old one: an outage of both, which says nothing about the new one",
                      canary, streak_.baseline_errors, streak_.baseline_requests);
    else
      findings.all_failed = fmt::format("{}; of the old one's {} requests {} failed", canary, streak_.baseline_requests,
                                        streak_.baseline_errors);
  }
  findings.share_off = share_off();
  switch (guilt_.guilt()) {
    case judge::Guilt::worse:
      findings.verdict = Finding::worse;
      findings.reason = guilt_reason();
      return findings;
    case judge::Guilt::incident: findings.incident = guilt_reason(); break;
    case judge::Guilt::unproved: break;
  }
  findings.reason = total_.canary_requests == 0
                        ? std::string("the new version got no request in this stage, so nothing is known of it")
                        : judge::explain(healthy_);
  if (total_.unattributed + total_.lost > 0)
    findings.reason +=
        fmt::format("; {} connections closed without an answer and {} uncounted requests held against it",
                    total_.unattributed, total_.lost);
  if (percent_ > 0 && healthy_.verdict() == judge::Verdict::healthy) findings.verdict = Finding::healthy;
  return findings;
}

}  // namespace serin::rollout
