#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin::watch {

/// What one run of a check found. `unknown`: it could not be found out.
enum class Finding : std::uint8_t { ok, unknown, failing };
/// "ok", "unknown", "failing": stable, in files, stores and JSON.
[[nodiscard]] std::string_view finding_name(Finding finding) noexcept;
[[nodiscard]] std::optional<Finding> finding_of_name(std::string_view name) noexcept;

/// How much it takes before findings count. The numbers of Gatus, and what it lacks: a third value, and flapping.
struct ThresholdOptions {
  int fail_after = 3;     ///< failing findings without an ok between them; 1 to 1000
  int unknown_after = 3;  ///< unknown findings without an ok between them; 1 to 1000
  int ok_after = 2;       ///< ok findings in a row until it is well again; 1 to 1000
  int k = 0;              ///< so many of the last n that are not ok are enough too; 0: not looked at, else 2 to n
  int n = 0;              ///< 0, or 2 to 1000
};
/// Errors: invalid_argument, naming the field. Pure.
[[nodiscard]] Status check_thresholds(const ThresholdOptions& options);

/// What is counted of a check; a plain value that a store keeps, so that a restart changes nothing.
struct Counts {
  std::optional<Finding> condition = {};  ///< what counts now; nothing before the first finding counted
  int failing = 0;                        ///< since the last ok
  int unknown = 0;                        ///< since the last ok
  int ok = 0;                             ///< in a row
  std::string last = {};                  ///< of the last n, the newest at the end: 'o', 'u', 'f'; empty without k of n
  friend bool operator==(const Counts&, const Counts&) = default;
};

/// Counts one more finding.
/// One ok takes the counts of failing and unknown back to 0; anything else takes that of ok back. An unknown neither
/// counts as failing nor ends a row of it, and it never makes anything well. A failing check stays failing, whatever
/// is unknown; an unknown one becomes failing when that is found often enough. It is well again after `ok_after` in
/// a row, and with k of n only when fewer than k of the last n are not ok. The first ok of all counts at once: there
/// is nothing to be taken back. With k of n, it is failing when k of the last n are, and unknown when only failing and
/// unknown together are as many. Pure. \param options  as check_thresholds() likes them
[[nodiscard]] Counts count(Counts counts, Finding finding, const ThresholdOptions& options);

}  // namespace serin::watch
