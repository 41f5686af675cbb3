#pragma once
#include <optional>
#include <string>

#include "serin/base/time.hpp"
#include "serin/ports/sql.hpp"

// What a program reads out of a row that it wrote itself: a cell as the type it was given, and nothing, 0 or "" where
// it holds NULL or another type. Whoever reads rows of others looks at the variant. All of it pure. Threads: any.
namespace serin {

/// "" when it is no text. The text lives as long as the cell.
[[nodiscard]] inline const std::string& sql_text(const SqlValue& cell) {
  static const std::string none;
  const auto* found = std::get_if<std::string>(&cell);
  return found != nullptr ? *found : none;
}
const std::string& sql_text(SqlValue&&) = delete;

/// 0 when it is no integer.
[[nodiscard]] inline std::int64_t sql_number(const SqlValue& cell) {
  const auto* found = std::get_if<std::int64_t>(&cell);
  return found != nullptr ? *found : 0;
}

/// Nothing when it is no number; an integer counts, because databases store 2.0 as 2.
[[nodiscard]] inline std::optional<double> sql_real(const SqlValue& cell) {
  if (const auto* real = std::get_if<double>(&cell)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
  return std::nullopt;
}

/// A time of the calendar that was stored as milliseconds since 1970; nothing when it is no integer.
[[nodiscard]] inline std::optional<WallTime> sql_time(const SqlValue& cell) {
  const auto* found = std::get_if<std::int64_t>(&cell);
  return found != nullptr ? std::optional(wall_of_unix_ms(*found)) : std::nullopt;
}

}  // namespace serin
