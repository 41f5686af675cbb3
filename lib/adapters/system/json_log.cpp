#include "serin/system/json_log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

namespace serin {
namespace {

/// Length of the UTF-8 sequence at the front, 0 when it is none (RFC 3629: no overlong forms, no surrogates).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF && follows(1)) return 2;
  if (first >= 0xE0 && first <= 0xEF && follows(1) && follows(2)) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && follows(1) && follows(2) && follows(3)) {
    const bool out = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90);
    return out ? 0 : 4;
  }
  return 0;
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\\ufffd";
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out + '"';
}

void JsonLog::write(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","event":{})", format_rfc3339(clock_.wall()),
                                 log_level_name(level), json_quoted(event));
  for (const LogField& field : fields) {
    line += ',';
    line += json_quoted(field.key);
    line += ':';
    struct Writer {
      std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
      std::string operator()(double number) const { return std::isfinite(number) ? fmt::format("{}", number) : "null"; }
      std::string operator()(bool flag) const { return flag ? "true" : "false"; }
      std::string operator()(const std::string& text) const { return json_quoted(text); }
    };
    line += std::visit(Writer(), field.value);
  }
  line += "}\n";
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, line.data(), line.size());
}

}  // namespace serin
