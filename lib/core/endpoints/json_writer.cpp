#include "json_writer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace serin::endpoints {
namespace {

/// Bytes of the UTF-8 character that begins at `at`; 0: there is none. RFC 3629: shortest form, no surrogates.
std::size_t character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned>(static_cast<unsigned char>(text[at + i])) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80U) return 1;
  if (first >= 0xc2U && first <= 0xdfU) return follows(1) ? 2 : 0;
  if (first >= 0xe0U && first <= 0xefU) {
    const bool overlong = first == 0xe0U && byte(1) < 0xa0U;
    const bool surrogate = first == 0xedU && byte(1) >= 0xa0U;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0U && first <= 0xf4U) {
    const bool outside = (first == 0xf0U && byte(1) < 0x90U) || (first == 0xf4U && byte(1) >= 0x90U);
    return follows(1) && follows(2) && follows(3) && !outside ? 4 : 0;
  }
  return 0;
}

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  quoted(name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  quoted(value);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  const fmt::format_int digits(value);
  out_.append(digits.data(), digits.size());
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  constexpr double exact = 9007199254740992.0;  // every whole number below 2^53 is one
  if (std::trunc(value) == value && std::abs(value) < exact) return integer(static_cast<std::int64_t>(value));
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::value(const LogField::Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return integer(*whole);
  if (const auto* real = std::get_if<double>(&value)) return number(*real);
  if (const auto* flag = std::get_if<bool>(&value)) return boolean(*flag);
  return text(std::get<std::string>(value));
}

void JsonWriter::quoted(std::string_view text) {
  out_ += '"';
  for (std::size_t at = 0; at < text.size();) {
    // Most texts are plain from end to end: one copy.
    std::size_t plain = at;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out_.append(text, at, plain - at);
    at = plain;
    if (at == text.size()) break;
    const char c = text[at];
    const std::size_t size = character_at(text, at);
    if (size == 0) {
      out_ += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (c == '\n') {
      out_ += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out_), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out_.append(text, at, size);
    }
    at += size == 0 ? 1 : size;
  }
  out_ += '"';
}

}  // namespace serin::endpoints
