#include "serin/rollout/evidence.hpp"

#include <fmt/format.h>

#include <cmath>

#include "serin/base/error.hpp"

namespace serin::rollout {
namespace {

// How far a router may miss a share and still have done what it was told, in points: its weights are coarse.
constexpr double coarseness = 0.3;
// Natural log of the odds at which chance is ruled out. It is asked every second, so it is far beyond any habit.
constexpr double beyond_chance = 25.0;

/// n times the divergence of the seen share from the one asked for: Chernoff's bound on the chance of seeing that.
double surprise(std::int64_t count, std::int64_t of, double share) {
  if (of <= 0) return 0;
  const double n = static_cast<double>(of);
  const double seen = static_cast<double>(count) / n;
  const auto term = [](double p, double q) {
    if (p <= 0) return 0.0;
    return q <= 0 ? beyond_chance : p * std::log(p / q);
  };
  return n * (term(seen, share) + term(1 - seen, 1 - share));
}

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

}  // namespace

Bucket make_bucket(const TrafficSecond& second, const ReleaseName& candidate, int stage) {
  Bucket bucket{.second = second.second, .stage = stage, .unattributed = second.unattributed, .lost = second.lost};
  for (const TrafficCount& count : second.counts) {
    const bool canary = count.release == candidate;
    (canary ? bucket.canary_requests : bucket.baseline_requests) += count.requests;
    (canary ? bucket.canary_errors : bucket.baseline_errors) += count.errors;
    (canary ? bucket.canary_hidden : bucket.baseline_hidden) += count.hidden;
  }
  return bucket;
}

Evidence::Evidence(const PlanOptions& plan) : plan_(plan), worse_(fresh()), healthy_(fresh()) {}

judge::ErrorJudge Evidence::fresh() const {
  Result<judge::ErrorJudge> made = judge::ErrorJudge::make(plan_.judge);
  SERIN_ASSERT(made.has_value());
  return *std::move(made);
}

void Evidence::enter(double percent, std::int64_t second) {
  percent_ = percent;
  entered_ = second;
  healthy_ = fresh();
  total_ = {};
  streak_ = {};
}

void Evidence::add(Bucket& bucket) {
  worse_.add(counts_of(bucket));
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
  bucket.worse = worse_.evidence().worse;
  bucket.healthy = healthy_.evidence().healthy;
}

std::string Evidence::share_off() const {
  // A request that was retried elsewhere is in both arms; each bound is taken where that cannot accuse the router.
  const std::int64_t users =
      total_.canary_requests - total_.canary_hidden + total_.baseline_requests - total_.baseline_hidden;
  const std::int64_t most = std::min(total_.canary_requests, users);
  const std::int64_t least = std::max<std::int64_t>(0, total_.canary_requests - total_.baseline_hidden);
  const double low = std::max(0.0, (percent_ - coarseness) / 100);
  const double high = std::min(1.0, (percent_ + coarseness) / 100);
  const double n = static_cast<double>(users);
  const auto text = [&](std::int64_t count) {
    return fmt::format("the router gave the new version {} of {} requests ({:.3g} %), not {:.4g} %", count, users,
                       100 * static_cast<double>(count) / n, percent_);
  };
  if (users <= 0) return {};
  if (static_cast<double>(most) < low * n && surprise(most, users, low) > beyond_chance) return text(most);
  if (static_cast<double>(least) > high * n && surprise(least, users, high) > beyond_chance) return text(least);
  return {};
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
  if (worse_.verdict() == judge::Verdict::worse) {
    findings.verdict = Finding::worse;
    findings.reason = judge::explain(worse_);
    return findings;
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
