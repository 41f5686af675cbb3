#pragma once
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/endpoints/options.hpp"

namespace serin::endpoints {

// Private to the module.

/// Errors: as Endpoints::make(). Pure.
[[nodiscard]] Status validate(const EndpointsOptions& options, const health::Identity& identity);
/// "db" of "/ready" and "/ready/db"; empty when it is not exactly one segment. Pure.
[[nodiscard]] std::string_view segment_below(std::string_view path, std::string_view longer) noexcept;

}  // namespace serin::endpoints
