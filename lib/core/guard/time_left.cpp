#include "serin/guard/time_left.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace serin::guard {

std::string format_time_left(Duration left) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(left).count();
  return std::to_string(std::clamp<std::int64_t>(whole, 0, 999'999'999));
}

std::optional<Duration> parse_time_left(std::string_view field) noexcept {
  if (field.empty() || field.size() > 9 || (field.size() > 1 && field.front() == '0')) return std::nullopt;
  std::int64_t milliseconds = 0;
  for (const char c : field) {
    if (c < '0' || c > '9') return std::nullopt;
    milliseconds = milliseconds * 10 + (c - '0');
  }
  return std::chrono::milliseconds(milliseconds);
}

void write_time_left(HttpHeaders& headers, Deadline deadline, Instant now) {
  if (deadline != Deadline::never()) headers.set(time_left_field, format_time_left(deadline.left(now)));
}

Deadline deadline_of(const HttpHeaders& headers, Instant now, Duration most) {
  const Deadline own = Deadline::after(now, most);
  const auto field = headers.find(time_left_field);
  const std::optional<Duration> left = field ? parse_time_left(*field) : std::nullopt;
  return left ? own.sooner(Deadline::after(now, *left)) : own;
}

}  // namespace serin::guard
