#include <fmt/format.h>

#include <cmath>

#include "civil.hpp"
#include "runtime.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

bool is_number(Kind kind) { return kind == Kind::int64 || kind == Kind::float64 || kind == Kind::numeric; }
bool is_time(Kind kind) { return kind == Kind::date || kind == Kind::datetime || kind == Kind::timestamp; }

double real(const SqlValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return 0;
}
std::int64_t integer(const SqlValue& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  return number == nullptr ? static_cast<std::int64_t>(real(value)) : *number;
}

std::unexpected<Error> bad(Kind to, const std::string& text) {
  return fail(Errc::invalid_argument, fmt::format("Could not cast literal \"{}\" to type {}", text, kind_name(to)));
}

Result<SqlValue> to_text(Kind from, const SqlValue& value) {
  switch (from) {
    case Kind::int64: return std::to_string(integer(value));
    case Kind::float64: {
      std::string out = print_float(real(value));
      return out.ends_with(".0") ? out.substr(0, out.size() - 2) : out;
    }
    case Kind::numeric: return print_numeric(real(value));
    case Kind::boolean: return std::string(integer(value) != 0 ? "true" : "false");
    case Kind::datetime: {
      std::string out = std::get<std::string>(value);
      if (out.size() > 10) out[10] = ' ';
      return out;
    }
    case Kind::timestamp: {
      SERIN_TRY(const SqlValue day, time_of(Kind::datetime, integer(value)));
      std::string out = std::get<std::string>(day);
      out[10] = ' ';
      return out + "+00";
    }
    case Kind::null:
    case Kind::string:
    case Kind::bytes:
    case Kind::date:
    case Kind::time:
    case Kind::json:
    case Kind::structure: return value;
  }
  return value;
}

Result<SqlValue> of_text(Kind to, const std::string& text) {
  switch (to) {
    case Kind::int64: {
      const auto number = to_int(trim(text));
      if (!number) return fail(Errc::invalid_argument, "Bad int64 value: " + text);
      return *number;
    }
    case Kind::float64:
    case Kind::numeric: {
      const auto number = to_double(trim(text));
      if (!number) return fail(Errc::invalid_argument, "Bad double value: " + text);
      return *number;
    }
    case Kind::boolean:
      if (equal_ignoring_case(text, "true")) return std::int64_t{1};
      if (equal_ignoring_case(text, "false")) return std::int64_t{0};
      return fail(Errc::invalid_argument, "Bad bool value: " + text);
    case Kind::date:
    case Kind::datetime:
    case Kind::timestamp: {
      const auto micros = parse_moment(text);
      if (!micros)
        return fail(Errc::invalid_argument, fmt::format("Invalid {} string \"{}\"",
                                                        to == Kind::date       ? "date"
                                                        : to == Kind::datetime ? "datetime"
                                                                               : "timestamp",
                                                        text));
      return time_of(to, *micros);
    }
    case Kind::time: {
      const auto micros = parse_moment("1970-01-01 " + text);
      if (!micros) return fail(Errc::invalid_argument, "Invalid time string \"" + text + "\"");
      return clock_text(*micros);
    }
    case Kind::null:
    case Kind::string:
    case Kind::bytes:
    case Kind::json: return text;
    case Kind::structure: return bad(to, text);
  }
  return bad(to, text);
}

}  // namespace

bool can_cast(Kind from, Kind to) noexcept {
  if (from == to || from == Kind::null) return true;
  if (from == Kind::structure || to == Kind::structure || from == Kind::json || to == Kind::json)
    return from == Kind::string && to == Kind::json;
  if (from == Kind::string || to == Kind::string) return true;
  if (from == Kind::bytes || to == Kind::bytes) return false;
  if (is_number(from) && is_number(to)) return true;
  if ((from == Kind::boolean && to == Kind::int64) || (from == Kind::int64 && to == Kind::boolean)) return true;
  return is_time(from) && (is_time(to) || (to == Kind::time && from != Kind::date));
}

Result<SqlValue> cast_value(Kind from, Kind to, const SqlValue& value) {
  if (std::holds_alternative<std::monostate>(value) || from == to) return value;
  if (!can_cast(from, to))
    return fail(Errc::invalid_argument, fmt::format("Invalid cast from {} to {}", kind_name(from), kind_name(to)));
  if (to == Kind::string) return to_text(from, value);
  if (from == Kind::string) {
    const auto* text = std::get_if<std::string>(&value);
    return text == nullptr ? bad(to, "") : of_text(to, *text);
  }
  if (is_time(from)) {
    SERIN_TRY(const std::int64_t micros, micros_of(from, value));
    if (to == Kind::time) return clock_text(((micros % micros_per_day) + micros_per_day) % micros_per_day);
    return time_of(to, micros);
  }
  if (to == Kind::boolean) return static_cast<std::int64_t>(integer(value) != 0 ? 1 : 0);
  if (to == Kind::int64) {
    if (from == Kind::boolean) return value;
    const double number = std::round(real(value));
    if (!(std::abs(number) < 9.2233720368547e18))
      return fail(Errc::invalid_argument, "Illegal conversion of value to INT64: " + print_float(number));
    return static_cast<std::int64_t>(number);
  }
  return real(value);
}

}  // namespace serin::google_sql
