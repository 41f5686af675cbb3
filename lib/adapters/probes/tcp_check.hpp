#pragma once
#include <string>

#include "serin/base/error.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/clock.hpp"

namespace serin::probes {

struct TcpOptions {
  std::string host;  ///< name or address, at most 253 bytes
  int port = 0;      ///< 1 to 65535
};
/// Whether somebody accepts connections there: connects and closes. Down when not.
/// Errors: invalid_argument. \param clock  outlives the check
Result<health::CheckFunction> tcp_check(TcpOptions options, const Clock& clock);

struct DnsOptions {
  std::string host;                              ///< at most 253 bytes
  std::size_t at_least = 1;                      ///< addresses; fewer is down; 1 to 100
  std::string hosts = "/etc/hosts";              ///< asked first; empty: never
  std::string resolv_conf = "/etc/resolv.conf";  ///< which name servers
  int port = 53;                                 ///< of the name servers; 1 to 65535
};
/// Whether a name has an address. Asks the name servers by itself over UDP, so it holds no thread that getaddrinfo()
/// would not give back. Knows hosts and DNS, no other source of nsswitch.conf. Down when not.
/// Errors: invalid_argument. \param clock  outlives the check
Result<health::CheckFunction> dns_check(DnsOptions options, const Clock& clock);

}  // namespace serin::probes
