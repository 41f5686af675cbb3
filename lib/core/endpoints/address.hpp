#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace serin::endpoints {

// Private to the module.

/// 16 bytes; version 4 as ::ffff:a.b.c.d, so that a dual-stack socket's peers compare with both.
using Address = std::array<std::uint8_t, 16>;
/// "10.0.0.1", "::1", "fe80::1%eth0" (the zone is left out). Nothing: no address. No leading zeros, no ports. Pure.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

struct Network {
  Address base{};
  unsigned bits = 128;
  [[nodiscard]] bool contains(const Address& address) const noexcept;
};
/// "10.0.0.0/8" or one address. Nothing: neither, or bits below the prefix are set ("10.0.0.1/8"). Pure.
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);

}  // namespace serin::endpoints
