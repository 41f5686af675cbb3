#include "serin/judge/error_judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace serin::judge {
namespace {

Status check(const ErrorJudgeOptions& options) {
  const auto number = [](std::string_view name, double value, double low, double high,
                         std::string_view range) -> Status {
    if (value >= low && value <= high) return {};  // false for NaN
    return fail(Errc::invalid_argument, fmt::format("judge: {} is {}, it has to be {}", name, value, range));
  };
  const double tiny = 1e-12;
  SERIN_CHECK(number("alpha", options.alpha, tiny, 1 - tiny, "above 0 and below 1"));
  SERIN_CHECK(number("beta", options.beta, tiny, 1 - tiny, "above 0 and below 1"));
  SERIN_CHECK(number("tolerable ratio", options.tolerable.ratio, 1, 100, "from 1 to 100"));
  SERIN_CHECK(number("tolerable absolute", options.tolerable.absolute, 0, 1, "from 0 to 1"));
  SERIN_CHECK(number("healthy ratio", options.healthy.ratio, options.tolerable.ratio, 100,
                     fmt::format("from the tolerable ratio ({}) to 100", options.tolerable.ratio)));
  SERIN_CHECK(number("healthy absolute", options.healthy.absolute, options.tolerable.absolute, 1,
                     fmt::format("from the tolerable absolute ({}) to 1", options.tolerable.absolute)));
  SERIN_CHECK(number("dispersion", options.dispersion, 1, 1000, "from 1 to 1000"));
  if (options.min_canary_errors < 1)
    return fail(Errc::invalid_argument,
                fmt::format("judge: min_canary_errors is {}, it has to be at least 1", options.min_canary_errors));
  if (options.planned_buckets < 1)
    return fail(Errc::invalid_argument,
                fmt::format("judge: planned_buckets is {}, it has to be at least 1", options.planned_buckets));
  if (options.restart_every < 1)
    return fail(Errc::invalid_argument,
                fmt::format("judge: restart_every is {}, it has to be at least 1", options.restart_every));
  return {};
}

Mixture::Shape tolerable(const ErrorJudgeOptions& options) {
  return {.null_ratio = options.tolerable.ratio,
          .absolute = options.tolerable.absolute,
          .dispersion = options.dispersion,
          .stakes = {.starts = (options.planned_buckets + options.restart_every - 1) / options.restart_every,
                     .every = options.restart_every}};
}

std::string rate(std::int64_t errors, std::int64_t requests) {
  if (requests == 0) return "no request";
  return fmt::format("{} of {} failed ({:.2f} %)", errors, requests,
                     100.0 * static_cast<double>(errors) / static_cast<double>(requests));
}

}  // namespace

std::string_view verdict_name(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::undecided: return "undecided";
    case Verdict::healthy: return "healthy";
    case Verdict::worse: return "worse";
  }
  return "undecided";
}

std::string ratio_text(const Interval& ratio) {
  if (ratio.low && ratio.high) return fmt::format("{:.2g}x to {:.2g}x the baseline's rate", *ratio.low, *ratio.high);
  if (ratio.low) return fmt::format("at least {:.2g}x the baseline's rate", *ratio.low);
  if (ratio.high) return fmt::format("at most {:.2g}x the baseline's rate", *ratio.high);
  return "too little is known to bound the ratio of the rates";
}

std::string odds_text(double log) {
  if (log < 0) return "1:1";
  if (log < std::log(10'000.0)) return fmt::format("1:{:.0f}", std::exp(log));
  return fmt::format("1:1e{:.0f}", std::floor(log / std::log(10.0)));
}

ErrorJudge::ErrorJudge(ErrorJudgeOptions options)
    : options_(options),
      worse_(tolerable(options)),
      healthy_({.null_ratio = options.healthy.ratio,
                .absolute = options.healthy.absolute,
                .side = Mixture::Side::below,
                .dispersion = options.dispersion}),
      ratio_(options.alpha, options.dispersion) {}

Result<ErrorJudge> ErrorJudge::make(ErrorJudgeOptions options) {
  SERIN_CHECK(check(options));
  return ErrorJudge(options);
}

void ErrorJudge::add(const Bucket& given) {
  const Bucket bucket = sane(given);
  total_ += bucket;
  worse_.add(bucket);
  healthy_.add(bucket);
  ratio_.add(bucket);
  if (verdict_ == Verdict::worse) return;
  const Evidence now = evidence();
  // The floor is not statistics: five errors of one flaky client are no reason to turn a release around.
  if (now.worse >= now.worse_needed && total_.canary_errors >= options_.min_canary_errors)
    verdict_ = Verdict::worse;
  else if (now.healthy >= now.healthy_needed)
    verdict_ = Verdict::healthy;
}

Evidence ErrorJudge::evidence() const {
  Evidence evidence{.worse = worse_.log_evidence(),
                    .healthy = healthy_.log_evidence(),
                    .worse_needed = std::log(1 / options_.alpha),
                    .healthy_needed = std::log(1 / options_.beta),
                    .total = total_,
                    .ratio = ratio_.interval()};
  return evidence;
}

std::string explain(const ErrorJudge& judge) {
  const Evidence now = judge.evidence();
  const std::string counts =
      fmt::format("canary {}, baseline {}; {}", rate(now.total.canary_errors, now.total.canary_requests),
                  rate(now.total.baseline_errors, now.total.baseline_requests), ratio_text(now.ratio));
  switch (judge.verdict()) {
    case Verdict::worse:
      return fmt::format("{}; evidence that it is worse {}, needed {}", counts, odds_text(now.worse),
                         odds_text(now.worse_needed));
    case Verdict::healthy:
      return fmt::format("{}; evidence that it is healthy {}, needed {}", counts, odds_text(now.healthy),
                         odds_text(now.healthy_needed));
    case Verdict::undecided: break;
  }
  return fmt::format("{}; evidence that it is worse {} of {}, that it is healthy {} of {}", counts,
                     odds_text(now.worse), odds_text(now.worse_needed), odds_text(now.healthy),
                     odds_text(now.healthy_needed));
}

}  // namespace serin::judge
