#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "serin/base/name.hpp"

namespace serin::haproxy {

/// One server line: "<release>-<index>".
struct ServerLine {
  std::string name;
  std::string address;  ///< "127.0.0.1:41234"
  int weight = 0;       ///< 0 to 256
  bool in_rotation = false;
};
struct ServiceLines {
  ServiceName name;
  std::string listen;  ///< "127.0.0.1:8080"
  std::vector<ServerLine> servers;
};
struct RouterConfig {
  std::string socket;          ///< path of the runtime socket; at most 100 bytes
  std::uint16_t log_port = 0;  ///< of 127.0.0.1, where the access log is read
  std::vector<ServiceLines> services;
};

/// The whole configuration file. Failures are retried only where nothing was sent or the request may be repeated, and
/// never for an answer of the application: a canary's errors have to be seen. Pure.
[[nodiscard]] std::string render(const RouterConfig& config);

/// How the access log looks, as `log-format`: what parse_access_line() reads.
[[nodiscard]] std::string access_log_format();

}  // namespace serin::haproxy
