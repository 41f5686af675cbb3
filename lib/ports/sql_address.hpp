#pragma once
#include <algorithm>
#include <array>
#include <string_view>

namespace serin {

/// What an address of PostgreSQL begins with, as libpq reads it.
inline constexpr std::array<std::string_view, 2> postgres_schemes{"postgres://", "postgresql://"};

/// Whether an address is one of PostgreSQL, right or wrong otherwise. Pure.
[[nodiscard]] constexpr bool is_postgres_address(std::string_view address) noexcept {
  return std::ranges::any_of(postgres_schemes, [&](std::string_view scheme) { return address.starts_with(scheme); });
}

}  // namespace serin
