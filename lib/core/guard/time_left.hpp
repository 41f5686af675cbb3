#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/time.hpp"
#include "serin/ports/http.hpp"

// How much time a caller still has, told to the one it calls, so that nobody works for an answer that nobody waits for.
namespace serin::guard {

/// Whole milliseconds. There is no standard field; this one needs no clocks that agree (a time left, no date), is a
/// plain number, and Envoy and what is built on it set it on the requests that they pass on, so that a service behind
/// them reads the same field. (gRPC's own is bound to gRPC calls and has units.)
constexpr std::string_view time_left_field = "x-envoy-expected-rq-timeout-ms";

/// Rounded down: never promises more than there is. \param left  >= 0; more than 999,999,999 ms is written as that
[[nodiscard]] std::string format_time_left(Duration left);
/// One to nine digits and nothing else, no leading zero but in "0". Nothing otherwise. Pure.
[[nodiscard]] std::optional<Duration> parse_time_left(std::string_view field) noexcept;
/// Sets the field, unless the deadline is never.
void write_time_left(HttpHeaders& headers, Deadline deadline, Instant now);
/// The deadline of a request that was received: the sooner of the caller's and `most` from now. A field that is not
/// understood is as good as none.
[[nodiscard]] Deadline deadline_of(const HttpHeaders& headers, Instant now, Duration most);

}  // namespace serin::guard
