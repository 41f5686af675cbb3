#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/time.hpp"

namespace serin::fleet {

/// A judgement about data. `not_evaluated` is not healthy and not ill: there was nothing to judge, for a known reason.
enum class Verdict : std::uint8_t { pass, warn, fail, not_evaluated };
[[nodiscard]] std::string_view verdict_name(Verdict verdict) noexcept;

struct Judgement {
  Verdict verdict = Verdict::fail;
  std::string reason;  ///< a sentence with the numbers behind the verdict
};

/// What eligibility looks at: one row of upcoming_player_game_context.
struct EligibilityFacts {
  std::optional<double> average_minutes;  ///< of the last 7 games
  bool has_line = false;
  bool is_out = false;       ///< not expected to play
  std::int64_t history = 0;  ///< games played before
};
/// (average minutes >= 15 or a line), not out, at least 3 games of history. Pure.
[[nodiscard]] bool is_eligible(const EligibilityFacts& facts) noexcept;
constexpr double eligible_minutes = 15.0;
constexpr std::int64_t eligible_history = 3;

struct CoverageFacts {
  std::int64_t games = 0;      ///< on the schedule of that day
  std::int64_t eligible = 0;   ///< players
  std::int64_t predicted = 0;  ///< of the eligible ones, with a prediction
};
/// Share in [0, 1]; nothing when nobody was eligible.
[[nodiscard]] std::optional<double> coverage_share(const CoverageFacts& facts) noexcept;
/// pass >= 90 %, warn >= 80 %, else fail. Without games: not_evaluated. Games, but nobody eligible or predicted: fail.
[[nodiscard]] Judgement judge_coverage(const CoverageFacts& facts);

struct FreshnessFacts {
  std::optional<WallTime> newest;  ///< when the newest row was written; nothing: no row at all
  std::int64_t games = 0;          ///< on the schedule of the day asked about
};
/// pass <= 24 h, warn <= 48 h, else fail. A day without games needs no fresh rows: not_evaluated. No row on a day with
/// games: fail. A newest row more than 5 min in the future is warn: a wrong clock must not pass for freshness.
[[nodiscard]] Judgement judge_freshness(const FreshnessFacts& facts, WallTime now);

/// Failed validations in 24 h: pass <= 5, warn <= 10, else fail.
[[nodiscard]] Judgement judge_validation_failures(std::int64_t failures);

/// Dead letters: none pass, else warn up to `most`, then fail. Unread dead letters are lost work.
[[nodiscard]] Judgement judge_dead_letters(std::int64_t dead, std::int64_t most);

}  // namespace serin::fleet
