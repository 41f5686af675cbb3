#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/sql.hpp"
#include "types.hpp"

// Private to the module: dates and times of the proleptic Gregorian calendar, in UTC. DATE is "2026-01-31", DATETIME
// "2026-01-31T10:00:00.5", TIMESTAMP microseconds since 1970. In all of them sorting the stored form sorts the time.
namespace serin::google_sql {

constexpr std::int64_t micros_per_second = 1'000'000;
constexpr std::int64_t micros_per_day = 86'400 * micros_per_second;

/// Any of the three as microseconds. Errors: invalid_argument.
Result<std::int64_t> micros_of(Kind kind, const SqlValue& value);
/// And back. Errors: invalid_argument, outside of the years 1 to 9999.
Result<SqlValue> time_of(Kind kind, std::int64_t micros);
/// "2026-01-31", "2026-01-31 10:00[:00[.123456]][Z|+01:00| UTC]". Nothing for anything else.
[[nodiscard]] std::optional<std::int64_t> parse_moment(std::string_view text) noexcept;
/// "10:00:00.5" from microseconds of a day.
[[nodiscard]] std::string clock_text(std::int64_t micros);

// Each takes the type and the arguments that follow it.
Result<SqlValue> add_time(Kind kind, std::span<const SqlValue> arguments);             ///< value, amount, part
Result<SqlValue> difference_of_times(Kind kind, std::span<const SqlValue> arguments);  ///< a, b, part
Result<SqlValue> truncate_time(Kind kind, std::span<const SqlValue> arguments);        ///< value, part
Result<SqlValue> extract_of_time(Kind kind, std::span<const SqlValue> arguments);      ///< value, part
Result<SqlValue> format_of_time(Kind kind, std::span<const SqlValue> arguments);       ///< format, value
Result<SqlValue> parse_of_time(Kind kind, std::span<const SqlValue> arguments);        ///< format, text

}  // namespace serin::google_sql
