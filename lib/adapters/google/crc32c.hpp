#pragma once
#include <cstdint>
#include <string_view>

namespace serin::google {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), as Google's services check what they store. Pure.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes) noexcept;

}  // namespace serin::google
