#include "serin/judge/canary_judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "serin/judge/error_judge.hpp"

namespace serin::judge {
namespace {

// How alpha is divided, once and for all: see the class.
constexpr double past_part = 0.5;
constexpr double band_part = 0.1;
constexpr double latency_weight = 0.25;  // of the evidence beside the baseline; the rest is the errors'

Stakes stakes_of(const ErrorJudgeOptions& options) {
  return {.starts = (options.planned_buckets + options.restart_every - 1) / options.restart_every,
          .every = options.restart_every};
}

double band_alpha(const CanaryJudgeOptions& options) { return options.errors.alpha * band_part; }

/// The one that says most.
LatencyJudge::Tail slowest_tail(const LatencyJudge& latency) {
  const std::vector<LatencyJudge::Tail> tails = latency.tails();
  const auto most = std::ranges::max_element(tails, {}, &LatencyJudge::Tail::log_evidence);
  return most == tails.end() ? LatencyJudge::Tail{} : *most;
}

std::string slower_text(const LatencyJudge& latency, const CanaryEvidence& now) {
  const bool by_body = now.body - now.body_needed > now.tails - now.beside_needed;
  if (by_body)
    return fmt::format("the new version is slower: {}; evidence {}, needed {}", explain(latency.body().value()),
                       odds_text(now.body), odds_text(now.body_needed));
  return fmt::format("the new version is slower: {}; evidence of errors and latency {}, needed {}",
                     explain(slowest_tail(latency)), odds_text(now.beside), odds_text(now.beside_needed));
}

std::string counts_text(const Bucket& total) {
  const auto rate = [](std::int64_t errors, std::int64_t requests) {
    if (requests == 0) return std::string("no request");
    return fmt::format("{} of {} failed ({:.2f} %)", errors, requests,
                       100.0 * static_cast<double>(errors) / static_cast<double>(requests));
  };
  return fmt::format("canary {}, baseline {}", rate(total.canary_errors, total.canary_requests),
                     rate(total.baseline_errors, total.baseline_requests));
}

}  // namespace

CanaryJudge::CanaryJudge(CanaryJudgeOptions options)
    : options_(std::move(options)),
      errors_({.null_ratio = options_.errors.tolerable.ratio,
               .absolute = options_.errors.tolerable.absolute,
               .dispersion = options_.errors.dispersion,
               .stakes = stakes_of(options_.errors)}),
      beside_needed_(0),
      past_needed_(0) {
  double part = 1;
  if (options_.history) {
    AgainstPast past(*options_.history, options_.against_past, stakes_of(options_.errors));
    if (past.usable()) {
      past_ = past;
      part -= past_part;
      past_needed_ = -std::log(options_.errors.alpha * past_part);
    }
  }
  if (options_.latency) part -= band_part;
  beside_needed_ = -std::log(options_.errors.alpha * part);
}

Result<CanaryJudge> CanaryJudge::make(const CanaryJudgeOptions& options) {
  CanaryJudgeOptions taken = options;
  // Whoever learned how errors clump knows it for both tests.
  if (taken.history)
    taken.errors.dispersion = taken.history->dispersion = std::max(taken.errors.dispersion, taken.history->dispersion);
  SERIN_CHECK(ErrorJudge::make(taken.errors));
  if (taken.attribution_wait < 0)
    return fail(Errc::invalid_argument,
                fmt::format("judge: attribution_wait is {}, it has to be 0 or more", taken.attribution_wait));
  if (!(taken.against_past.ratio >= 1 && taken.against_past.absolute >= 0))
    return fail(Errc::invalid_argument,
                fmt::format("judge: against_past is {} and {}, it has to be 1 or more and 0 or more",
                            taken.against_past.ratio, taken.against_past.absolute));
  CanaryJudge judge(std::move(taken));
  if (judge.options_.latency) {
    SERIN_TRY(LatencyJudge latency, LatencyJudge::make(*judge.options_.latency, stakes_of(judge.options_.errors)));
    judge.latency_ = std::move(latency);
  }
  return judge;
}

void CanaryJudge::add(const Bucket& given, std::optional<std::int64_t> failed_clients) {
  const Bucket bucket = sane(given);
  total_ += bucket;
  errors_.add(bucket);
  if (past_) past_->add(bucket);
  if (failed_clients) failed_clients_ = failed_clients;
  // Without an error of the canary no evidence grows: most buckets need no sums.
  const bool idle = bucket.canary_errors == 0 && guilt_ == Guilt::unproved && waited_ == 0 && !failed_clients;
  if (idle) return;
  decide_beside();
  if (past_ && guilt_ != Guilt::worse) decide_by_past();
}

void CanaryJudge::learn_latency(const LatencyCounts& baseline) {
  if (latency_) latency_->learn(baseline);
}

void CanaryJudge::add_latency(const LatencyCounts& canary, const LatencyCounts& baseline) {
  if (!latency_) return;  // whoever has no edges cannot read the cells
  latency_->add(canary, baseline);
  decide_beside();
}

CanaryEvidence CanaryJudge::evidence() const {
  CanaryEvidence evidence{.beside = errors_.log_evidence(),
                          .beside_needed = beside_needed_,
                          .past = past_ ? past_->log_evidence() : 0,
                          .past_needed = past_needed_,
                          .total = total_};
  if (!latency_) return evidence;
  evidence.tails = latency_->log_evidence();
  evidence.beside =
      combined(std::array{Weighted{1 - latency_weight, evidence.beside}, Weighted{latency_weight, evidence.tails}});
  if (const auto body = latency_->body()) evidence.body = body->log_evidence;
  evidence.body_needed = -std::log(band_alpha(options_));
  return evidence;
}

bool CanaryJudge::enough_errors() const noexcept {
  // No statistics: five errors of one flaky client are no reason to turn a release around.
  return total_.canary_errors >= options_.errors.min_canary_errors &&
         failed_clients_.value_or(options_.min_failed_clients) >= options_.min_failed_clients;
}

void CanaryJudge::found(Guilt guilt, Cause cause) noexcept {
  guilt_ = guilt;
  cause_ = cause;
}

void CanaryJudge::decide_beside() {
  if (guilt_ == Guilt::worse) return;
  const CanaryEvidence now = evidence();
  if (now.beside >= beside_needed_) {
    if (latency_ && now.tails > errors_.log_evidence()) {
      // As with errors: a few slow requests are no reason to turn a release around.
      if (slowest_tail(*latency_).canary_slower >= options_.errors.min_canary_errors)
        return found(Guilt::worse, Cause::slower);
    } else if (enough_errors()) {
      return found(Guilt::worse, Cause::beside_baseline);
    }
  }
  if (latency_ && now.body > now.body_needed) found(Guilt::worse, Cause::slower);
}

void CanaryJudge::decide_by_past() {
  if (guilt_ == Guilt::incident && past_->calm()) {
    past_->forget();
    return found(Guilt::unproved, Cause::nothing);
  }
  if (!enough_errors() || past_->log_evidence() < past_needed_) {
    waited_ = 0;
    return;
  }
  switch (past_->blame()) {
    case Blame::canary: return found(Guilt::worse, Cause::against_past);
    case Blame::both: return found(Guilt::incident, Cause::against_past);
    case Blame::unclear: break;
  }
  if (guilt_ == Guilt::incident) return;  // it goes on
  if (++waited_ > options_.attribution_wait) found(Guilt::worse, Cause::unattributed);
}

std::string explain(const CanaryJudge& judge) {
  const CanaryEvidence now = judge.evidence();
  const std::string counts = counts_text(now.total);
  const std::string beside =
      fmt::format("evidence beside the baseline {}, needed {}", odds_text(now.beside), odds_text(now.beside_needed));
  const std::string past =
      judge.past() ? fmt::format("evidence against the past ({:.2f} % failed before) {}, needed {}",
                                 100 * judge.past()->rate_before(), odds_text(now.past), odds_text(now.past_needed))
                   : std::string();
  switch (judge.cause()) {
    case Cause::nothing: break;
    case Cause::beside_baseline: return fmt::format("{}; {}", counts, beside);
    case Cause::slower: return fmt::format("{}; {}", slower_text(*judge.latency(), now), counts);
    case Cause::unattributed:
      return fmt::format("{}; {}; hardly anybody uses the old version, so it is not known whether it fails too", counts,
                         past);
    case Cause::against_past:
      return fmt::format("{}; {}; {}", counts, past,
                         judge.guilt() == Guilt::incident
                             ? "the baseline fails more often than before too, so this is no fault of the new version"
                             : "the baseline is as before");
  }
  return fmt::format("{}; {}{}{}", counts, beside, past.empty() ? "" : "; ", past);
}

}  // namespace serin::judge
