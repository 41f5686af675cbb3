#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace serin::guard {

/// What an element of a pipeline is, for the check of its order.
enum class Kind : std::uint8_t { fallback, deadline, rate, retry, hedge, breaker, bulkhead, attempt_timeout, chaos };

// Each question is asked by a static_assert of pipeline(); outermost first.

template <std::size_t n>
consteval bool has_before(const std::array<Kind, n>& kinds, Kind outer, Kind inner) {
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j)
      if (kinds[i] == outer && kinds[j] == inner) return true;
  return false;
}
template <std::size_t n>
consteval std::size_t count(const std::array<Kind, n>& kinds, Kind kind) {
  std::size_t found = 0;
  for (const Kind each : kinds) found += each == kind ? 1 : 0;
  return found;
}
template <std::size_t n>
consteval bool is_innermost_or_absent(const std::array<Kind, n>& kinds, Kind kind) {
  return count(kinds, kind) == 0 || (count(kinds, kind) == 1 && kinds[n - 1] == kind);
}

}  // namespace serin::guard
