#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin::haproxy {

/// One request, as the access log has it when it ended.
struct AccessLine {
  std::string_view service;
  std::string_view server;  ///< "v1-0"; empty when none was chosen
  int status = 0;           ///< 0 when nothing was sent to the client
  char cause = '-';  ///< who ended it: '-' all was well, 'S' and 's' the server, 'C' and 'c' the client, 'P' HAProxy
  std::int64_t milliseconds =
      0;  ///< as the client had it: from the first byte of its request to the last one sent to it
  /// From the server's connection to its last header: what the server took, nothing of what a slow client took, and of
  /// a request that was tried again the last attempt alone. Nothing: the server never answered.
  std::optional<std::int64_t> answer_milliseconds;
  std::string_view method;
  std::string_view path;
};

/// The views point into `line`. Errors: data_loss, with the line. Pure.
Result<AccessLine> parse_access_line(std::string_view line);
/// What a user calls a failure: 5xx, or an answer that the server cut off or never finished. A client that went away by
/// itself is none. Pure.
[[nodiscard]] bool is_failure(const AccessLine& line) noexcept;

}  // namespace serin::haproxy
