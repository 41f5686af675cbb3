#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin {
class Environment;
}

namespace serin::http {

/// How long each part of a request may take. Each > 0; Duration::max() is for ever.
struct Timeouts {
  Duration wait = 10s;        ///< in the line for a connection; while one is being opened for it, `connect` counts
  Duration connect = 5s;      ///< of one connection: its name, TCP, a proxy's tunnel and TLS together
  Duration first_byte = 30s;  ///< from the last byte that was sent to the first of the answer
  Duration idle_read = 30s;   ///< between two pieces of an answer, or of what is sent
  Duration total = 60s;       ///< from when a connection was there for it to the last byte, redirects included
  /// Only the caller's deadline ends it, and what it takes to get a connection.
  [[nodiscard]] static constexpr Timeouts only_connect() noexcept {
    return {.first_byte = Duration::max(), .idle_read = Duration::max(), .total = Duration::max()};
  }
};

/// Who is believed, and who we are. TLS 1.2 at least, in every case.
struct Tls {
  std::string ca_file;           ///< PEM, believed instead of the system's authorities; empty: those of the system
  std::string certificate_file;  ///< PEM chain that is shown to servers that ask; empty: none
  std::string key_file;          ///< PEM key of it; empty: it is in certificate_file
  bool verify = true;            ///< false: any certificate of any name will do. For tests against strangers alone
};

/// Which proxy a request goes through. Plain "http://host:port", with "user:password@" where it asks for them; an
/// empty one is none. Requests to https:// go through a tunnel (CONNECT), those to http:// by their absolute form.
struct Proxies {
  std::string http;   ///< for http:// origins
  std::string https;  ///< for https:// origins
  /// Who is asked directly, in curl's form: "*", or names and addresses after commas. "example.org" and ".example.org"
  /// stand for the domain and all below it; "example.org:8080" for one port; "10.0.0.0/8" for addresses.
  std::string none;
};
/// http_proxy, https_proxy, no_proxy and their upper case; the lower one wins. HTTP_PROXY is not read where
/// REQUEST_METHOD is set, because there a client can set it (CVE-2016-5385). Pure.
[[nodiscard]] Proxies proxies_of(const Environment& environment);

/// A connection that one request holds for long: a leak, or a peer that trickles.
struct Hold {
  std::string origin;
  std::string tag;        ///< Request::tag
  Duration held{};        ///< since the connection was there
  bool returned = false;  ///< it came back after all; told once for each that was told of before
};

struct SessionOptions {
  std::size_t per_origin = 16;   ///< connections; 1 to 10000
  std::size_t total = 256;       ///< connections to all origins; >= 1
  std::size_t queue = 1024;      ///< requests waiting for a connection of one origin; one more is refused at once
  Timeouts timeouts;             ///< for requests that name none of their own
  Duration idle_timeout = 90s;   ///< a kept connection is closed after; sooner if the server's Keep-Alive says so
  Duration max_lifetime = 600s;  ///< a connection is not used again after: how changes of DNS are noticed
  double jitter = 0.1;           ///< both end earlier by a share of [0, jitter), drawn for each connection; 0 to 0.5
  Duration dns_ttl = 60s;        ///< how long a name's addresses are remembered; 0: asked every time
  Duration eyeballs = 200ms;     ///< head start of an address before the next one is tried beside it (RFC 8305); > 0
  std::size_t head_limit = 64u << 10;  ///< bytes of an answer's head; 256 to 1 MiB
  std::size_t body_limit = 64u << 20;  ///< bytes of an answer's body, as sent and as unpacked
  int redirects = 0;                   ///< how many are followed; 0 to 50
  bool cookies = false;                ///< a jar that all requests of the session share
  bool decompress = false;             ///< asks for gzip and deflate, and unpacks them
  Tls tls;
  Proxies proxies;
  bool reuse = true;                   ///< false: a connection for each request, for comparison
  int loops = 1;  ///< threads that do the work; an origin stays with one of them; 1 to 64
  /// Told when a request holds its connection for longer, and when it comes back after that. On the loop's thread.
  std::function<void(const Hold&)> on_hold;
  Duration hold_after = Duration::max();  ///< >= 2 s
  /// Instead of the system's resolver: addresses ("127.0.0.1", "::1") of a name, the preferred first. May block; called
  /// on a thread of its own, once at a time for a name.
  std::function<Result<std::vector<std::string>>(const std::string& host)> resolve;
};

}  // namespace serin::http
