#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"

// Private to the module.
namespace serin::google_sql {

struct Token {
  enum class Kind : std::uint8_t { end, word, quoted, integer, real, string, bytes, named, positional, sign };
  Kind kind = Kind::end;
  std::string text;        ///< decoded: without quotes and escapes; "@p" is "p"
  std::size_t offset = 0;  ///< of its first byte
};

/// Splits a text. The last token is `end`. Errors: invalid_argument, with "at [line:column]". Pure.
Result<std::vector<Token>> tokens_of(std::string_view text);
/// "[3:12]", counted from 1.
[[nodiscard]] std::string place_of(std::string_view text, std::size_t offset);

}  // namespace serin::google_sql
