#include "values.hpp"

#include <fmt/format.h>

#include "serin/base/text.hpp"

namespace serin::postgres {
namespace {

// Object ids of types that are compiled into every PostgreSQL (pg_type.dat); they never change.
constexpr Oid bool_type = 16;
constexpr Oid bytea_type = 17;
constexpr Oid int8_type = 20;
constexpr Oid int2_type = 21;
constexpr Oid int4_type = 23;
constexpr Oid oid_type = 26;
constexpr Oid float4_type = 700;
constexpr Oid float8_type = 701;
constexpr Oid numeric_type = 1700;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// "\x00ff" as its two bytes.
Result<std::string> bytes_of(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return fail(Errc::data_loss, "a bytea that is not hexadecimal");
  std::string out;
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return fail(Errc::data_loss, "a bytea that is not hexadecimal");
    out += static_cast<char>(16 * high + low);
  }
  return out;
}

Result<SqlValue> value_of(std::string_view text, Oid type) {
  switch (type) {
    case bool_type: return SqlValue(std::int64_t{text == "t" ? 1 : 0});
    case int2_type:
    case int4_type:
    case int8_type:
    case oid_type: {
      const auto number = to_int(text);
      if (!number) return fail(Errc::data_loss, fmt::format("'{}' is no whole number of 64 bits", text));
      return SqlValue(*number);
    }
    case float4_type:
    case float8_type:
    case numeric_type: {
      if (text == "NaN" || text.ends_with("Infinity"))
        return SqlValue(text == "NaN" ? std::numeric_limits<double>::quiet_NaN()
                                      : (text.starts_with('-') ? -1 : 1) * std::numeric_limits<double>::infinity());
      // A sum of whole numbers is a numeric without a fraction: whole here, as in SQLite.
      if (const auto whole = to_int(text); whole && type == numeric_type) return SqlValue(*whole);
      const auto number = to_double(text);
      if (!number) return fail(Errc::data_loss, fmt::format("'{}' is no number", text));
      return SqlValue(*number);
    }
    case bytea_type: {
      SERIN_TRY(std::string bytes, bytes_of(text));
      return SqlValue(std::move(bytes));
    }
    default: return SqlValue(std::string(text));
  }
}

}  // namespace

Parameters::Parameters(std::span<const SqlValue> values) {
  struct Text {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return fmt::format("{}", number); }  // the shortest that is exact
    std::string operator()(const std::string& text) const { return text; }
  };
  texts_.reserve(values.size());  // pointers into it must stay
  for (const SqlValue& value : values) {
    texts_.push_back(std::visit(Text(), value));
    const std::string& text = texts_.back();
    const bool is_null = std::holds_alternative<std::monostate>(value);
    const bool is_binary = text.find('\0') != std::string::npos;
    values_.push_back(is_null ? nullptr : text.c_str());
    lengths_.push_back(static_cast<int>(text.size()));
    formats_.push_back(is_binary ? 1 : 0);
  }
}

Result<SqlTable> table_of(const PGresult& result) {
  SqlTable table;
  const int columns = PQnfields(&result);
  const int rows = PQntuples(&result);
  for (int column = 0; column < columns; ++column) table.columns.emplace_back(PQfname(&result, column));
  table.rows.reserve(static_cast<std::size_t>(rows));
  for (int row = 0; row < rows; ++row) {
    SqlRow values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(&result, row, column) != 0) {
        values.emplace_back(std::monostate());
        continue;
      }
      const std::string_view text(PQgetvalue(&result, row, column),
                                  static_cast<std::size_t>(PQgetlength(&result, row, column)));
      SERIN_TRY(SqlValue value, value_of(text, PQftype(&result, column)));
      values.push_back(std::move(value));
    }
    table.rows.push_back(std::move(values));
  }
  return table;
}

}  // namespace serin::postgres
