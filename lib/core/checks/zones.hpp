#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin::checks {

/// What became of a check; each is worse than the one before. `not_evaluated`: there was nothing to judge, which is not
/// healthy and not ill. `error`: it could not be found out, which is never taken for health.
enum class Outcome : std::uint8_t { pass, not_evaluated, warn, error, fail };
/// "pass", "warn", "fail", "error", "not_evaluated": stable, in files, stores and labels.
[[nodiscard]] std::string_view outcome_name(Outcome outcome) noexcept;
[[nodiscard]] std::optional<Outcome> outcome_of_name(std::string_view name) noexcept;

/// Values that a severity is given for: an interval, or everything outside of it.
struct Zone {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_inside = true;  ///< the bound itself belongs to the interval
  bool high_inside = true;
  bool outside = false;   ///< everything but the interval
  bool percent = false;   ///< of rows, in 0 to 100; otherwise the value itself
  std::string text = {};  ///< as it was written
  [[nodiscard]] bool contains(double value) const noexcept;
};

/// "> 5", "<= 1%", "= 0", "!= 3", "between 1 and 5" (both inside), "between (1 and 5]", "not between 1% and 5%".
/// Errors: invalid_argument, with what can be written. Pure.
[[nodiscard]] Result<Zone> parse_zone(std::string_view text);

/// What a value is worth. Neither zone: every value passes. `fail` is looked at first.
struct Zones {
  std::optional<Zone> warn = {};
  std::optional<Zone> fail = {};
};
/// `percent` is what zones with % look at; without it they cannot be judged and the outcome is error. Pure.
[[nodiscard]] Outcome judge_value(const Zones& zones, double value, std::optional<double> percent = {}) noexcept;
/// "warn > 5, fail > 10".
[[nodiscard]] std::string zones_text(const Zones& zones);

}  // namespace serin::checks
