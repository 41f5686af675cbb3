#include "serin/fleet_pipeline/definitions.hpp"

#include <fmt/format.h>

#include "serin/checks/judge.hpp"

namespace serin::fleet {
namespace {

// The limits are those of fleet/checks.yaml, and judged by the same code.
Verdict verdict_of(checks::Outcome outcome) {
  switch (outcome) {
    case checks::Outcome::pass: return Verdict::pass;
    case checks::Outcome::warn: return Verdict::warn;
    case checks::Outcome::not_evaluated: return Verdict::not_evaluated;
    case checks::Outcome::error:
    case checks::Outcome::fail: return Verdict::fail;
  }
  return Verdict::fail;
}

Verdict below(double value, double warn, double fail) {
  const checks::Zone warning{.high = warn, .high_inside = false};
  const checks::Zone failure{.high = fail, .high_inside = false};
  return verdict_of(checks::judge_value({.warn = warning, .fail = failure}, value));
}
Verdict above(double value, double warn, double fail) {
  const checks::Zone warning{.low = warn, .low_inside = false};
  const checks::Zone failure{.low = fail, .low_inside = false};
  return verdict_of(checks::judge_value({.warn = warning, .fail = failure}, value));
}

}  // namespace

std::string_view verdict_name(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::pass: return "pass";
    case Verdict::warn: return "warn";
    case Verdict::fail: return "fail";
    case Verdict::not_evaluated: return "not_evaluated";
  }
  return "fail";
}

bool is_eligible(const EligibilityFacts& facts) noexcept {
  const bool plays_enough = facts.average_minutes && *facts.average_minutes >= eligible_minutes;
  return (plays_enough || facts.has_line) && !facts.is_out && facts.history >= eligible_history;
}

std::optional<double> coverage_share(const CoverageFacts& facts) noexcept {
  if (facts.eligible <= 0) return std::nullopt;
  return static_cast<double>(facts.predicted) / static_cast<double>(facts.eligible);
}

Judgement judge_coverage(const CoverageFacts& facts) {
  if (facts.games == 0) return {Verdict::not_evaluated, "no games on the schedule"};
  const auto share = coverage_share(facts);
  if (!share) return {Verdict::fail, fmt::format("{} games, but no eligible player", facts.games)};
  const std::string sentence = fmt::format("{} of {} eligible players have a prediction ({:.1f} %)", facts.predicted,
                                           facts.eligible, *share * 100);
  // In whole rows first: 0.9 x 100 is not 90 in every arithmetic.
  return {below(100.0 * static_cast<double>(facts.predicted) / static_cast<double>(facts.eligible), 90, 80), sentence};
}

Judgement judge_freshness(const FreshnessFacts& facts, WallTime now) {
  if (facts.games == 0) return {Verdict::not_evaluated, "no games on the schedule"};
  if (!facts.newest) return {Verdict::fail, fmt::format("{} games, but no row at all", facts.games)};
  const checks::Verdict judged =
      checks::judge_age(now - *facts.newest, {.warn_after = 24h, .error_after = 48h, .skew = 5min});
  return {verdict_of(judged.outcome), judged.reason};
}

Judgement judge_validation_failures(std::int64_t failures) {
  const std::string sentence = fmt::format("{} failed validations in 24 h", failures);
  if (failures < 0) return {Verdict::fail, "the number of failed validations is unknown"};
  return {above(static_cast<double>(failures), 5, 10), sentence};
}

Judgement judge_dead_letters(std::int64_t dead, std::int64_t most) {
  if (dead < 0) return {Verdict::fail, "the number of dead letters is unknown"};
  if (dead == 0) return {Verdict::pass, "no dead letters"};
  return {dead <= most ? Verdict::warn : Verdict::fail, fmt::format("{} dead letters", dead)};
}

}  // namespace serin::fleet
