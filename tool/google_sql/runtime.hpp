#pragma once
#include <span>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/google_sql/types.hpp"
#include "serin/ports/sql.hpp"

namespace serin::google_sql {

/// A function that translated statements call and SQLite lacks. Pure: the same arguments give the same value.
/// Errors: invalid_argument, in BigQuery's words.
struct RuntimeFunction {
  std::string_view name;
  int least = 1;  ///< arguments
  int most = 1;
  Result<SqlValue> (*run)(std::span<const SqlValue> arguments);
};
[[nodiscard]] std::span<const RuntimeFunction> runtime_functions() noexcept;

/// An aggregate of floating point numbers that SQLite lacks; NULLs are left out. `parameter` is the value of the second
/// argument, if there is one. Nothing: NULL.
struct RuntimeAggregate {
  std::string_view name;
  int arguments = 1;
  Result<SqlValue> (*run)(std::span<const SqlValue> values, const SqlValue& parameter);
};
[[nodiscard]] std::span<const RuntimeAggregate> runtime_aggregates() noexcept;

/// Whether CAST knows the way.
[[nodiscard]] bool can_cast(Kind from, Kind to) noexcept;
/// CAST(value AS to), for values as SQLite keeps them. Errors: invalid_argument, in BigQuery's words.
[[nodiscard]] Result<SqlValue> cast_value(Kind from, Kind to, const SqlValue& value);
/// A FLOAT64 as BigQuery prints it: "1.0", "0.1", "1e+20", "NaN", "Infinity".
[[nodiscard]] std::string print_float(double value);
/// A NUMERIC: up to nine decimals, none of them zero at the end.
[[nodiscard]] std::string print_numeric(double value);

}  // namespace serin::google_sql
