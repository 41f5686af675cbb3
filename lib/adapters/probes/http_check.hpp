#pragma once
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/http.hpp"

namespace serin::probes {

struct HttpOptions {
  std::string url;            ///< "http://host[:port][/path]"; user-info becomes Authorization and is never shown
  std::vector<int> expected;  ///< status codes from 100 to 599; empty: any 2xx
  std::string content;        ///< must be part of the body; empty: the body is not looked at
  bool read_health = false;   ///< the body is application/health+json or our own: what it says counts too
  HttpHeaders headers;        ///< sent along
};
/// Whether a GET is answered as expected. Redirects are not followed: a 302 is not a 2xx. Keeps connections as the
/// client does. Ends at the deadline; a stop is seen before it asks. Down when not; degraded when the body says so.
/// Errors: invalid_argument, unsupported (https: the client has no TLS). \param client  outlives the check
Result<health::CheckFunction> http_check(HttpOptions options, HttpClient& client);

/// What a health body says, in IETF's words (pass, ok, up; warn; fail, error, down) or ours (healthy, degraded,
/// unhealthy). Unknown: no JSON object, or no status in it that has a meaning. Pure.
[[nodiscard]] health::HealthStatus status_in_body(std::string_view body);

}  // namespace serin::probes
