#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detail_socket.hpp"

// Names to addresses with a deadline. getaddrinfo() has none and cannot be stopped: a resolver that hangs would keep a
// thread each time. So: /etc/hosts, then our own question over UDP to the servers of resolv.conf (RFC 1035).
namespace serin::probes {

/// 4 bytes of IPv4 or 16 of IPv6.
struct Address {
  bool is_six = false;
  std::array<unsigned char, 16> bytes{};
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Address&, const Address&) = default;
};
/// "127.0.0.1", "::1"; nothing for a name.
std::optional<Address> parse_address(std::string_view text);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const noexcept;
};
SocketAddress socket_address(const Address& address, int port);

/// Where names are looked up. Empty paths are left out.
struct ResolverFiles {
  std::string hosts = "/etc/hosts";
  std::string resolv_conf = "/etc/resolv.conf";
  int port = 53;  ///< of the name servers
};

/// What resolv.conf says: at most three servers, as libc takes them.
struct ResolverSettings {
  std::vector<Address> servers;
  std::vector<std::string> search;
  int dots = 1;  ///< a name with fewer is tried with the search list first
};
/// Pure. Unknown lines are left out; no server at all is 127.0.0.1, as resolv.conf(5) says.
ResolverSettings parse_resolv_conf(std::string_view text);
/// The addresses of a name in /etc/hosts. Pure.
std::vector<Address> find_in_hosts(std::string_view text, std::string_view name);

/// A question for addresses, IPv4 or IPv6, as bytes of a datagram. Errors: invalid_argument (labels too long or empty).
Result<std::string> dns_question(std::uint16_t id, std::string_view name, bool six);
/// The addresses in an answer. An answer cut off for its length counts with what is there.
/// Errors: not_found (no such name), unavailable (the server cannot say), data_loss (not an answer to that question).
Result<std::vector<Address>> parse_dns_answer(std::string_view bytes, std::uint16_t id, bool six);

/// All addresses of a name, IPv4 first. A server that says nothing for a second is asked again and then the next one.
/// Errors: not_found, unavailable, deadline_exceeded, cancelled, invalid_argument.
Result<std::vector<Address>> resolve(const std::string& host, const ResolverFiles& files, const Wait& wait);

}  // namespace serin::probes
