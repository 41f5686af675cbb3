#pragma once
#include <cstdint>
#include <string_view>

// Private to the module.
namespace serin::google_sql {

/// One row of the table of functions.
/// Letters of `arguments`: n a number, i INT64, f FLOAT64, s STRING, S STRING or BYTES, b BOOL, d DATE, t TIMESTAMP,
/// e DATETIME, T one of these three, a anything, A anything that fits the other As, y an array. '|' starts the optional
/// ones, '*' repeats the last.
/// Letters of `result`: i f s b d t e as above; 0 the first argument's type, A the type of all As, n INT64 if the first
/// is one and FLOAT64 otherwise.
/// `sql`: {0} the first argument, {,2} the third with a comma when it is there, {*} all, {|} all joined by ||, {k0} the
/// first one's type as a literal.
struct Function {
  std::string_view name;
  std::string_view arguments;
  char result;
  std::string_view sql;
  enum class Use : std::uint8_t { scalar, aggregate, window } use = Use::scalar;
};

/// Null when it is not known.
[[nodiscard]] const Function* find_function(std::string_view upper_case_name) noexcept;

}  // namespace serin::google_sql
