#include "serin/base/name.hpp"

namespace serin {

Status check_name(std::string_view what, std::string_view text) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  bool good = !text.empty() && text.size() <= 63 && letter(text.front()) && text.back() != '-';
  for (const char c : text) good = good && (letter(c) || (c >= '0' && c <= '9') || c == '-');
  if (good) return {};
  return fail(
      Errc::invalid_argument,
      fmt::format("'{}' is no name of a {}: 1 to 63 of a-z, 0-9 and '-', a letter first, no '-' last", text, what));
}

}  // namespace serin
