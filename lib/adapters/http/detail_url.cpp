#include "detail_url.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "serin/base/text.hpp"

namespace serin::http {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::unexpected<Error> no_origin(std::string_view text) {
  return fail(Errc::invalid_argument, fmt::format("'{}' is no origin like http://127.0.0.1:8080", text));
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}
bool is_six(const std::string& host) {
  std::array<unsigned char, 16> bytes;
  return inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

/// "/a/b/../c" -> "/a/c".
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  const auto pieces = split(path.substr(1), '/');
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool last = i + 1 == pieces.size();
    if (pieces[i] == "..") {
      if (!kept.empty()) kept.pop_back();
      if (last) kept.emplace_back();
    } else if (pieces[i] == ".") {
      if (last) kept.emplace_back();
    } else {
      kept.push_back(pieces[i]);
    }
  }
  std::string out;
  for (const std::string_view piece : kept) {
    out += '/';
    out += piece;
  }
  return out.empty() ? "/" : out;
}

std::string normal(std::string_view target) {
  const std::size_t query = std::min(target.find('?'), target.size());
  std::string path(target.substr(0, query));
  if (!path.starts_with('/')) path.insert(0, "/");
  return without_dots(path) + std::string(target.substr(query));
}

}  // namespace

void Origin::append_authority(std::string& out, bool always) const {
  const bool six = host.find(':') != std::string::npos;
  if (six) out += '[';
  out += host;
  if (six) out += ']';
  if (!always && is_default_port()) return;
  const fmt::format_int digits(port);
  out += ':';
  out.append(digits.data(), digits.size());
}

std::string Origin::authority(bool always) const {
  std::string out;
  append_authority(out, always);
  return out;
}

Result<Origin> parse_origin(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return no_origin(text);
  Origin origin;
  const std::string_view scheme = text.substr(0, colon);
  if (equal_ignoring_case(scheme, "https")) {
    origin.tls = true;
  } else if (!equal_ignoring_case(scheme, "http")) {
    return no_origin(text);
  }
  const std::string_view rest = text.substr(colon + 3);
  std::string_view host;
  std::string_view port;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return no_origin(text);
    host = rest.substr(1, end - 1);
    port = rest.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return no_origin(text);
  } else {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    host = rest.substr(0, end);
    port = rest.substr(end);
  }
  origin.port = origin.tls ? 443 : 80;
  if (!port.empty()) {
    const auto number = to_int(port.substr(1));
    if (!number || *number < 1 || *number > 65535 || port[1] == '+') return no_origin(text);
    origin.port = static_cast<std::uint16_t>(*number);
  }
  origin.host = host;
  std::ranges::transform(origin.host, origin.host.begin(), lower);
  // "example.org." is the same host: its connections are the same ones.
  if (origin.host.size() > 1 && origin.host.ends_with('.')) origin.host.pop_back();
  if (rest.starts_with('[') ? !is_six(origin.host) : !is_host(origin.host)) return no_origin(text);
  origin.name.reserve(origin.host.size() + 16);
  origin.name = origin.tls ? "https://" : "http://";
  origin.append_authority(origin.name, true);
  return origin;
}

Result<Url> resolve(const Origin& from, std::string_view target, std::string_view location) {
  if (std::ranges::any_of(location, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }))
    return fail(Errc::invalid_argument, "the Location holds a blank or a control character");
  location = location.substr(0, location.find('#'));
  const std::size_t authority = location.find("//");
  const bool has_scheme = authority != std::string_view::npos && authority > 0 && location[authority - 1] == ':' &&
                          location.find_first_of("/?") == authority;
  if (has_scheme || location.starts_with("//")) {
    const std::size_t path = std::min(location.find_first_of("/?", authority + 2), location.size());
    std::string origin(location.substr(0, path));
    if (!has_scheme) origin.insert(0, from.tls ? "https:" : "http:");
    SERIN_TRY(Origin parsed, parse_origin(origin));
    return Url{std::move(parsed), normal(location.substr(path))};
  }
  if (const std::size_t colon = location.find(':');
      colon != std::string_view::npos && is_token(location.substr(0, colon)))
    return fail(Errc::unsupported, fmt::format("the Location '{}' is no http", location));
  const std::string_view path = target.substr(0, target.find('?'));
  if (location.empty()) return Url{from, std::string(target)};
  if (location.starts_with('/')) return Url{from, normal(location)};
  if (location.starts_with('?')) return Url{from, std::string(path) + std::string(location)};
  return Url{from, normal(std::string(path.substr(0, path.rfind('/') + 1)) + std::string(location))};
}

Redirection redirection_of(int status, std::string_view method) {
  switch (status) {
    case 301:
    case 302:
      if (method == "POST") return {.follow = true, .keep_body = false, .method = "GET"};
      return {.follow = true, .keep_body = true, .method = std::string(method)};
    case 303: return {.follow = true, .keep_body = false, .method = method == "HEAD" ? "HEAD" : "GET"};
    case 307:
    case 308: return {.follow = true, .keep_body = true, .method = std::string(method)};
    default: return {};
  }
}

HttpHeaders headers_for(const HttpHeaders& headers, bool same_origin, bool keep_body) {
  constexpr std::array<std::string_view, 4> secret{"Authorization", "Cookie", "Proxy-Authorization", "Host"};
  constexpr std::array<std::string_view, 5> of_body{"Content-Type", "Content-Length", "Content-Encoding",
                                                    "Content-Language", "Expect"};
  HttpHeaders out;
  for (const auto& [name, value] : headers) {
    const auto is_name = [&name](std::string_view one) { return equal_ignoring_case(name, one); };
    if (!same_origin && std::ranges::any_of(secret, is_name)) continue;
    if (!keep_body && std::ranges::any_of(of_body, is_name)) continue;
    out.add(name, value);
  }
  return out;
}

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view signs = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || signs.find(c) != std::string_view::npos;
  });
}

Status check_message(const HttpRequest& request) {
  const auto is_line_safe = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
  };
  bool good =
      is_token(request.method) && request.target.starts_with('/') &&
      std::ranges::none_of(request.target, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; });
  for (const auto& [name, value] : request.headers) {
    good = good && is_token(name) && is_line_safe(value);
    if (equal_ignoring_case(name, "Transfer-Encoding"))
      return fail(Errc::invalid_argument, "Transfer-Encoding is the client's own: give the body a source instead");
  }
  if (request.method == "CONNECT") return fail(Errc::invalid_argument, "CONNECT is for proxies alone");
  if (!good) return fail(Errc::invalid_argument, "a request line or header holds a blank or a line break");
  return {};
}

}  // namespace serin::http
