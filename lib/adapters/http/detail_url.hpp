#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/http.hpp"

namespace serin::http {

/// Scheme, host and port: what connections are kept for.
struct Origin {
  bool tls = false;
  std::string host;  ///< lower case, without the brackets of an IPv6 address
  std::uint16_t port = 0;
  std::string name;  ///< "http://host:port", always with its port: equal names are equal origins

  [[nodiscard]] bool is_default_port() const noexcept { return port == (tls ? 443 : 80); }
  /// "host", "host:8080", "[::1]:8080": the Host header. \param always  the port even where it is the scheme's
  [[nodiscard]] std::string authority(bool always) const;
  void append_authority(std::string& out, bool always) const;
};
/// Pure. Errors: invalid_argument (not like http://host:port; a path, a user), unsupported (a scheme).
[[nodiscard]] Result<Origin> parse_origin(std::string_view text);

struct Url {
  Origin origin;
  std::string target;  ///< path and query; the fragment is gone
};
/// What a Location means, seen from where it was said (RFC 3986, 5.2). Pure.
/// Errors: as parse_origin(); invalid_argument (blanks, control characters).
[[nodiscard]] Result<Url> resolve(const Origin& from, std::string_view target, std::string_view location);

/// What becomes of a request that is sent on. Pure.
struct Redirection {
  bool follow = false;
  bool keep_body = false;  ///< method and body stay as they are; otherwise it becomes GET, or stays HEAD
  std::string method;
};
/// 301 and 302: POST becomes GET, others stay as they are. 303: all but HEAD become GET. 307, 308: nothing changes.
[[nodiscard]] Redirection redirection_of(int status, std::string_view method);
/// Takes out what another origin must not see (Authorization, Cookie, Proxy-Authorization), and, without a body, what
/// told of it.
[[nodiscard]] HttpHeaders headers_for(const HttpHeaders& headers, bool same_origin, bool keep_body);

/// Digits, letters and the few signs that a method or a header's name is made of. Pure.
[[nodiscard]] bool is_token(std::string_view text) noexcept;
/// Errors: invalid_argument, when it would not be one request on the wire.
[[nodiscard]] Status check_message(const HttpRequest& request);

}  // namespace serin::http
