#pragma once
#include <optional>
#include <string_view>

#include "serin/base/time.hpp"

namespace serin::guard {

/// What a Retry-After field asks for, as a time from `now`: "120" (seconds) or a date ("Sun, 06 Nov 1994 08:49:37 GMT",
/// and the two older forms that a recipient has to know). A date that has passed is 0. Nothing for anything else: a
/// field that is not understood is as good as none. At most a day comes out: longer is no answer to a caller.
/// Source: RFC 9110, 10.2.3 and 5.6.7. Pure.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view field, WallTime now);

/// An HTTP date in any of its three forms. \param now  tells the century of a two-digit year. Pure.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text, WallTime now);

}  // namespace serin::guard
