#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serin/checks/check.hpp"
#include "serin/ports/scan.hpp"

namespace serin::checks {

/// What was found, before anybody judged it.
struct Measurement {
  std::int64_t rows = 0;              ///< that were looked at
  std::optional<double> metric = {};  ///< nothing: there was no data to measure
  std::int64_t bad_rows = 0;          ///< that samples can be shown of
  std::string note = {};              ///< more to say: the columns that are missing
  std::string error = {};             ///< it could not be measured, and why
};
struct Verdict {
  Outcome outcome = Outcome::error;
  std::optional<double> value = {};    ///< what the limits were compared with
  std::optional<double> percent = {};  ///< of rows, for checks that count rows
  std::string reason = {};             ///< a sentence with the numbers behind the outcome
};
/// An earlier run's metric.
struct HistoryPoint {
  std::int64_t at_s = 0;  ///< seconds since 1970
  double metric = 0;
};

/// The metric of a check that was part of a scan. `states`: of rows first, then of the check's own terms.
/// \param now_s  seconds since 1970
[[nodiscard]] Measurement measure_states(const Check& check, std::span<const scan::State> states, std::int64_t now_s);
/// The metric of a check that had a query of its own, from the query's answer.
[[nodiscard]] Measurement measure_table(const Check& check, const SqlTable& table, Engine engine);

/// \param history  earlier metrics of this check, the oldest first
/// \param now_s    seconds since 1970: which day of the week it is
[[nodiscard]] Verdict judge(const Check& check, const Measurement& measured, std::span<const HistoryPoint> history,
                            std::int64_t now_s);

struct FreshnessLimits {
  Duration warn_after = Duration::max();
  Duration error_after = Duration::max();
  Duration skew = Duration::zero();  ///< so far in the future is still now
};
/// fail when older than error_after, else warn when older than warn_after or from the future, whose age is 0.
[[nodiscard]] Verdict judge_age(Duration age, const FreshnessLimits& limits);

/// Distance from the median in robust standard deviations (0.6745 x distance / median absolute deviation); 0 within
/// 0.1 % of the median, 1000 at most and when everything before was equal. Needs at least one point. Pure.
/// Source: Iglewicz, Hoaglin, "How to detect and handle outliers", 1993.
[[nodiscard]] double robust_z(double value, std::vector<double> history);

}  // namespace serin::checks
