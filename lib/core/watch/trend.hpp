#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serin/watch/store.hpp"

namespace serin::watch {

/// Without enough of a past it is unknown, which is neither well nor a finding.
enum class TrendStatus : std::uint8_t { unknown, usual, degraded };
/// "unknown", "usual", "degraded".
[[nodiscard]] std::string_view trend_name(TrendStatus status) noexcept;

struct TrendOptions {
  Duration recent = 15min;     ///< what is judged
  Duration around = 30min;     ///< of each day before: so long before and after the same time of day
  int days = 7;                ///< that are looked back
  int least_runs = 5;          ///< of the recent time, and of a day that counts
  int least_days = 3;          ///< that count
  double spreads = 3;          ///< above the usual value: so many robust standard deviations between days, and
  double least_share = 0.5;    ///< at least so much of the usual duration, and
  Duration least_more = 10ms;  ///< at least so much longer
  double least_errors = 0.1;   ///< errors: at least so much more of the runs, in [0, 1], and
  int least_bad = 3;           ///< at least so many of the recent ones
};

struct Trend {
  TrendStatus latency = TrendStatus::unknown;
  TrendStatus errors = TrendStatus::unknown;
  std::optional<Duration> now = {};    ///< median of the recent runs that were ok
  std::optional<Duration> usual = {};  ///< median of the days' medians
  std::optional<Duration> limit = {};  ///< above it is degraded
  std::optional<double> errors_now = {};
  std::optional<double> errors_usual = {};
  std::optional<double> errors_limit = {};
  std::string said = {};  ///< one sentence for people
  /// degraded when one is, unknown when both are.
  [[nodiscard]] TrendStatus status() const noexcept;
};

/// Compares the recent runs with the same time of the days before. Of each a median (durations of what was ok; what
/// failed took its own time) and the share of runs that were not ok; the usual is the median over days, the spread
/// 1.4826 times the median distance from it, so that one bad day moves neither. Days are 24 hours. Pure.
/// \param runs  of one check, the oldest first; missed ones do not count
[[nodiscard]] Trend judge_trend(std::span<const RunResult> runs, WallTime now, const TrendOptions& options = {});

}  // namespace serin::watch
