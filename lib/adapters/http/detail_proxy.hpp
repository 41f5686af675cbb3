#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detail_url.hpp"
#include "serin/http/options.hpp"

namespace serin::http {

struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  std::string authorization;  ///< "Basic ..."; empty: none
  friend bool operator==(const Proxy&, const Proxy&) = default;
};

/// Errors: unsupported (https, socks), invalid_argument. "host:port" without a scheme is well.
[[nodiscard]] Result<Proxy> parse_proxy(std::string_view text);
/// Whether NO_PROXY's list names an origin. Pure.
[[nodiscard]] bool is_direct(std::string_view none, const Origin& origin);

/// Which proxy an origin is reached through. Pure.
class ProxyRules {
 public:
  /// The texts have been parsed once already; one that is wrong is none.
  explicit ProxyRules(const Proxies& proxies);
  [[nodiscard]] static Status check(const Proxies& proxies);
  [[nodiscard]] std::optional<Proxy> find(const Origin& origin) const;

 private:
  std::optional<Proxy> http_;
  std::optional<Proxy> https_;
  std::string none_;
};

}  // namespace serin::http
