#pragma once
#include <string>

#include "view.hpp"

namespace serin::endpoints {

// Private to the module: how a View that went through conclude() is written.

/// What a Dialect is called as a media type.
[[nodiscard]] std::string_view content_type(Dialect dialect) noexcept;
/// The code as this dialect has it: Kubernetes' failure is 500, Prometheus' 200, as its gauges say how it is.
[[nodiscard]] int code_in(Dialect dialect, int code) noexcept;
/// The body, of at most `limit` bytes: when it is longer, details go first, then most of each error, then the checks
/// that are best, for which one check "omitted" stands. Pure.
[[nodiscard]] std::string write(Dialect dialect, View view, std::size_t limit = 64 * 1024);

// The bodies, one file each. Pure.
[[nodiscard]] std::string write_native(const View& view);
[[nodiscard]] std::string write_kubernetes(const View& view);
[[nodiscard]] std::string write_microprofile(const View& view);
[[nodiscard]] std::string write_actuator(const View& view);
[[nodiscard]] std::string write_health_json(const View& view);
[[nodiscard]] std::string write_aspnet_word(const View& view);
[[nodiscard]] std::string write_aspnet_ui(const View& view);
[[nodiscard]] std::string write_prometheus(const View& view);

/// "pass", "warn", "fail", "skip".
[[nodiscard]] std::string_view check_word(const health::CheckReport& check) noexcept;

}  // namespace serin::endpoints
