#include "serin/fleet_pipeline/definitions.hpp"

#include <fmt/format.h>

namespace serin::fleet {

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
  if (*share >= 0.9) return {Verdict::pass, sentence};
  if (*share >= 0.8) return {Verdict::warn, sentence + ", below 90 %"};
  return {Verdict::fail, sentence + ", below 80 %"};
}

Judgement judge_freshness(const FreshnessFacts& facts, WallTime now) {
  if (facts.games == 0) return {Verdict::not_evaluated, "no games on the schedule"};
  if (!facts.newest) return {Verdict::fail, fmt::format("{} games, but no row at all", facts.games)};
  const Duration age = now - *facts.newest;
  if (age < -5min) return {Verdict::fail, "the newest row is from the future: " + format_rfc3339(*facts.newest)};
  const std::string sentence = fmt::format("newest row is {:.1f} h old", seconds_of(age) / 3600);
  if (age <= 24h) return {Verdict::pass, sentence};
  if (age <= 48h) return {Verdict::warn, sentence + ", older than 24 h"};
  return {Verdict::fail, sentence + ", older than 48 h"};
}

Judgement judge_validation_failures(std::int64_t failures) {
  const std::string sentence = fmt::format("{} failed validations in 24 h", failures);
  if (failures < 0) return {Verdict::fail, "the number of failed validations is unknown"};
  if (failures <= 5) return {Verdict::pass, sentence};
  if (failures <= 10) return {Verdict::warn, sentence};
  return {Verdict::fail, sentence};
}

Judgement judge_dead_letters(std::int64_t dead, std::int64_t most) {
  if (dead < 0) return {Verdict::fail, "the number of dead letters is unknown"};
  if (dead == 0) return {Verdict::pass, "no dead letters"};
  return {dead <= most ? Verdict::warn : Verdict::fail, fmt::format("{} dead letters", dead)};
}

}  // namespace serin::fleet
