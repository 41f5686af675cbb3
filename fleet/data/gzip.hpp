#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin::fleet {

/// Whether these bytes start as a gzip file does.
[[nodiscard]] bool is_gzip(std::string_view bytes) noexcept;

/// The content of a gzip file (all its members), checked against its checksum.
///
/// \param most  bytes of content; a file that says more is refused, whatever its size
/// Errors: data_loss for damaged or cut-off input; exhausted above `most`. Pure.
Result<std::string> gunzip(std::string_view bytes, std::size_t most = std::size_t{256} << 20);

/// `bytes` as they are, or what they unpack to when they are gzip. Errors: as gunzip.
Result<std::string> text_of_file(std::string bytes);

}  // namespace serin::fleet
