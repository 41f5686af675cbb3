#include "detail_resolve.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "serin/base/text.hpp"
#include "serin/system/files.hpp"
#include "serin/system/random.hpp"

namespace serin::probes {
namespace {

constexpr std::size_t header_size = 12;
constexpr unsigned type_a = 1;
constexpr unsigned type_aaaa = 28;

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }
unsigned two_at(std::string_view bytes, std::size_t at) { return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1); }
void put_two(std::string& bytes, unsigned value) {
  bytes += static_cast<char>(value >> 8 & 0xff);
  bytes += static_cast<char>(value & 0xff);
}

/// The position behind a name that may end in a pointer; npos when it is cut off.
std::size_t behind_name(std::string_view bytes, std::size_t at) {
  while (at < bytes.size()) {
    const unsigned length = byte_at(bytes, at);
    if (length == 0) return at + 1;
    if ((length & 0xc0) == 0xc0) return at + 2;
    at += 1 + length;
  }
  return std::string_view::npos;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    found.push_back(line.substr(at, end - at));
    at = end;
  }
  return found;
}

}  // namespace

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(is_six ? AF_INET6 : AF_INET, bytes.data(), buffer.data(), buffer.size());
  return buffer.data();
}

std::optional<Address> parse_address(std::string_view text) {
  const std::string copy(text);
  Address address;
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) return address;
  address.is_six = true;
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

const sockaddr* SocketAddress::get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }

SocketAddress socket_address(const Address& address, int port) {
  SocketAddress where;
  if (address.is_six) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&six.sin6_addr, address.bytes.data(), 16);
    std::memcpy(&where.storage, &six, sizeof six);
    where.size = sizeof six;
  } else {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&four.sin_addr, address.bytes.data(), 4);
    std::memcpy(&where.storage, &four, sizeof four);
    where.size = sizeof four;
  }
  return where;
}

ResolverSettings parse_resolv_conf(std::string_view text) {
  ResolverSettings settings;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> parts = words(line);
    if (parts.size() < 2) continue;
    if (parts[0] == "nameserver" && settings.servers.size() < 3) {
      if (const auto address = parse_address(parts[1])) settings.servers.push_back(*address);
    } else if (parts[0] == "search" || parts[0] == "domain") {
      settings.search.assign(parts.begin() + 1, parts.end());
    } else if (parts[0] == "options") {
      for (const std::string_view option : parts)
        if (option.starts_with("ndots:"))
          settings.dots = static_cast<int>(std::clamp<std::int64_t>(to_int(option.substr(6)).value_or(1), 0, 15));
    }
  }
  if (settings.servers.empty()) settings.servers.push_back(*parse_address("127.0.0.1"));
  return settings;
}

std::vector<Address> find_in_hosts(std::string_view text, std::string_view name) {
  std::vector<Address> found;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> parts = words(line.substr(0, line.find('#')));
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (!equal_ignoring_case(parts[i], name)) continue;
      if (const auto address = parse_address(parts[0])) found.push_back(*address);
      break;
    }
  }
  std::vector<Address> ordered;
  for (const bool six : {false, true})
    std::ranges::copy_if(found, std::back_inserter(ordered), [six](const Address& one) { return one.is_six == six; });
  return ordered;
}

Result<std::string> dns_question(std::uint16_t id, std::string_view name, bool six) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 253) return fail(Errc::invalid_argument, "a name has 1 to 253 bytes");
  std::string bytes;
  put_two(bytes, id);
  put_two(bytes, 0x0100);  // recursion desired
  put_two(bytes, 1);
  bytes.append(6, '\0');
  for (const std::string_view label : split(name, '.')) {
    if (label.empty() || label.size() > 63)
      return fail(Errc::invalid_argument, fmt::format("'{}' has a label that is not 1 to 63 bytes long", name));
    bytes += static_cast<char>(label.size());
    bytes += label;
  }
  bytes += '\0';
  put_two(bytes, six ? type_aaaa : type_a);
  put_two(bytes, 1);
  return bytes;
}

Result<std::vector<Address>> parse_dns_answer(std::string_view bytes, std::uint16_t id, bool six) {
  if (bytes.size() < header_size || two_at(bytes, 0) != id || (byte_at(bytes, 2) & 0x80) == 0)
    return fail(Errc::data_loss, "not an answer to our question");
  const unsigned code = byte_at(bytes, 3) & 0x0f;
  if (code == 3) return fail(Errc::not_found, "no such name");
  if (code != 0) return fail(Errc::unavailable, fmt::format("the name server answers with code {}", code));
  std::size_t at = header_size;
  for (unsigned i = two_at(bytes, 4); i > 0; --i) {
    at = behind_name(bytes, at);
    if (at > bytes.size() || bytes.size() - at < 4) return fail(Errc::data_loss, "the answer is cut off");
    at += 4;
  }
  const std::size_t size = six ? 16 : 4;
  std::vector<Address> found;
  for (unsigned i = two_at(bytes, 6); i > 0; --i) {
    at = behind_name(bytes, at);
    if (at > bytes.size() || bytes.size() - at < 10) break;
    const unsigned type = two_at(bytes, at);
    const std::size_t length = two_at(bytes, at + 8);
    at += 10;
    if (bytes.size() - at < length) break;
    if (type == (six ? type_aaaa : type_a) && length == size) {
      Address address{.is_six = six};
      std::memcpy(address.bytes.data(), bytes.data() + at, size);
      found.push_back(address);
    }
    at += length;
  }
  return found;
}

namespace {

/// One server, one question: a second, twice.
Result<std::vector<Address>> ask(const Address& server, int port, const std::string& name, bool six, const Wait& wait) {
  const SocketAddress where = socket_address(server, port);
  const Descriptor socket(::socket(where.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return fail_errno(errno, "socket");
  // Connected: the kernel drops datagrams from anybody else, and tells when nobody listens.
  if (::connect(socket.number(), where.get(), where.size) != 0) return fail_errno(errno, "name server");
  SystemRandom random;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto id = static_cast<std::uint16_t>(random.next());
    SERIN_TRY(const std::string question, dns_question(id, name, six));
    if (::send(socket.number(), question.data(), question.size(), MSG_NOSIGNAL) < 0)
      return fail_errno(errno, "name server");
    const Deadline patience = Deadline::after(wait.clock().now(), 1s);
    for (;;) {
      SERIN_TRY(const bool came, wait.ready_until(socket.number(), POLLIN, patience));
      if (!came) break;
      std::array<char, 4096> buffer{};
      const ssize_t count = ::recv(socket.number(), buffer.data(), buffer.size(), 0);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (count < 0) return fail_errno(errno, "name server");
      auto answer = parse_dns_answer({buffer.data(), static_cast<std::size_t>(count)}, id, six);
      if (answer || answer.error().code() != Errc::data_loss) return answer;
    }
  }
  return fail(Errc::unavailable, fmt::format("the name server {} does not answer", server.text()));
}

Result<std::vector<Address>> ask_all(const ResolverSettings& settings, int port, const std::string& name, bool six,
                                     const Wait& wait) {
  Result<std::vector<Address>> last = fail(Errc::unavailable, "no name server");
  for (const Address& server : settings.servers) {
    last = ask(server, port, name, six, wait);
    if (last || last.error().code() != Errc::unavailable) break;
  }
  return last;
}

std::string text_of(const std::string& path) {
  return path.empty() ? std::string() : read_file(path, 1u << 20).value_or(std::string());
}

}  // namespace

Result<std::vector<Address>> resolve(const std::string& host, const ResolverFiles& files, const Wait& wait) {
  if (const auto address = parse_address(host)) return std::vector{*address};
  if (auto found = find_in_hosts(text_of(files.hosts), host); !found.empty()) return found;
  const ResolverSettings settings = parse_resolv_conf(text_of(files.resolv_conf));
  std::vector<std::string> names;
  for (const std::string& domain : settings.search)
    if (!host.ends_with('.')) names.push_back(host + "." + domain);
  const bool is_full = host.ends_with('.') || std::ranges::count(host, '.') >= settings.dots;
  names.insert(is_full ? names.begin() : names.end(), host);
  for (const std::string& name : names) {
    std::vector<Address> found;
    for (const bool six : {false, true}) {
      auto some = ask_all(settings, files.port, name, six, wait);
      if (!some && some.error().code() == Errc::not_found) break;
      // IPv4 is enough when the server does not understand the other question.
      if (!some && found.empty()) return pass(some.error().in("look up " + host));
      if (some) found.insert(found.end(), some->begin(), some->end());
    }
    if (!found.empty()) return found;
  }
  return fail(Errc::not_found, fmt::format("look up {}: no such name", host));
}

}  // namespace serin::probes
