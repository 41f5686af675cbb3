#pragma once
#include <string>

#include "serin/base/error.hpp"

namespace serin::pool_bench {

/// The page of the lines in `text`, one JSON object a line, several of each kind: their medians, ours over each rival,
/// and where we lose. Errors: invalid_argument, with the line.
[[nodiscard]] Result<std::string> page_of(const std::string& text);

}  // namespace serin::pool_bench
