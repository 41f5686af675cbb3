#include "detail_proxy.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "serin/base/text.hpp"
#include "serin/system/environment.hpp"

namespace serin::http {
namespace {

struct Bytes {
  std::array<unsigned char, 16> bytes{};
  int bits = 0;  // 32 or 128
};
std::optional<Bytes> address_bytes(const std::string& text) {
  Bytes out;
  if (inet_pton(AF_INET, text.c_str(), out.bytes.data()) == 1)
    out.bits = 32;
  else if (inet_pton(AF_INET6, text.c_str(), out.bytes.data()) == 1)
    out.bits = 128;
  else
    return {};
  return out;
}

bool is_in_network(const Bytes& address, std::string_view network) {
  const std::size_t slash = network.find('/');
  const auto base = address_bytes(std::string(network.substr(0, slash)));
  const auto bits = to_int(network.substr(slash + 1));
  if (!base || !bits || base->bits != address.bits || *bits < 0 || *bits > address.bits) return false;
  for (int bit = 0; bit < *bits; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((base->bytes[at] & mask) != (address.bytes[at] & mask)) return false;
  }
  return true;
}

/// "host:8080", "[::1]:8080" -> the port; it is taken off.
std::optional<std::uint16_t> take_port(std::string_view& entry) {
  const std::size_t colon = entry.rfind(':');
  if (colon == std::string_view::npos) return {};
  const bool bracketed = entry.starts_with('[') && colon > 0 && entry[colon - 1] == ']';
  if (!bracketed && entry.find(':') != colon) return {};  // a bare IPv6 address
  const auto port = to_int(entry.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return {};
  entry = entry.substr(0, colon);
  return static_cast<std::uint16_t>(*port);
}

}  // namespace

Proxies proxies_of(const Environment& environment) {
  const auto value = [&](std::string_view lower, std::string_view upper) {
    const std::string found = environment.value_or(lower, "");
    return found.empty() && !upper.empty() ? environment.value_or(upper, "") : found;
  };
  const bool cgi = environment.value("REQUEST_METHOD").has_value();
  return {.http = value("http_proxy", cgi ? "" : "HTTP_PROXY"),
          .https = value("https_proxy", "HTTPS_PROXY"),
          .none = value("no_proxy", "NO_PROXY")};
}

Result<Proxy> parse_proxy(std::string_view text) {
  std::string_view rest = text;
  if (const std::size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
    if (!equal_ignoring_case(rest.substr(0, scheme), "http"))
      return fail(Errc::unsupported, fmt::format("a proxy is spoken to by plain http, not {}", rest.substr(0, scheme)));
    rest.remove_prefix(scheme + 3);
  }
  Proxy proxy;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    std::string user = percent_decode(rest.substr(0, at), false);
    if (user.find(':') == std::string::npos) user += ':';
    proxy.authorization = "Basic " + base64_encode(user);
    rest.remove_prefix(at + 1);
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  // Without its user: the text may hold a password.
  SERIN_TRY(const Origin origin, parse_origin("http://" + std::string(rest)));
  proxy.host = origin.host;
  proxy.port = origin.port;
  return proxy;
}

bool is_direct(std::string_view none, const Origin& origin) {
  const auto address = address_bytes(origin.host);
  for (std::string_view entry : split(none, ',')) {
    entry = trim(entry);
    if (entry.empty()) continue;
    if (entry == "*") return true;
    if (entry.find('/') != std::string_view::npos) {
      if (address && is_in_network(*address, entry)) return true;
      continue;
    }
    const auto port = take_port(entry);
    if (port && *port != origin.port) continue;
    if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
    if (const auto same = address_bytes(std::string(entry))) {
      if (address && address->bits == same->bits && address->bytes == same->bytes) return true;
      continue;
    }
    if (entry.starts_with("*.")) entry.remove_prefix(1);
    if (entry.starts_with('.')) entry.remove_prefix(1);
    if (entry.ends_with('.')) entry.remove_suffix(1);
    if (entry.empty() || address) continue;
    const std::string_view host = origin.host;
    if (host.size() < entry.size() || !equal_ignoring_case(host.substr(host.size() - entry.size()), entry)) continue;
    if (host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.') return true;
  }
  return false;
}

ProxyRules::ProxyRules(const Proxies& proxies) : none_(proxies.none) {
  const auto parsed = [](const std::string& text) -> std::optional<Proxy> {
    if (text.empty()) return {};
    auto proxy = parse_proxy(text);
    return proxy ? std::optional(std::move(*proxy)) : std::nullopt;
  };
  http_ = parsed(proxies.http);
  https_ = parsed(proxies.https);
}

Status ProxyRules::check(const Proxies& proxies) {
  for (const std::string& text : {proxies.http, proxies.https}) {
    if (text.empty()) continue;
    if (auto proxy = parse_proxy(text); !proxy) return pass(proxy.error().in("proxy"));
  }
  return {};
}

std::optional<Proxy> ProxyRules::find(const Origin& origin) const {
  const auto& proxy = origin.tls ? https_ : http_;
  return proxy && !is_direct(none_, origin) ? proxy : std::nullopt;
}

}  // namespace serin::http
