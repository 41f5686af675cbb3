#pragma once
#include "serin/http/options.hpp"
#include "serin/policy/policies.hpp"

namespace serin::fleet {

/// As many connections to an origin as any policy lets calls be under way to one, so that who was let through does not
/// wait for a connection: a policy's limit would count him as busy with the peer, and its attempt timeout would run. At
/// least the session's own number, for what calls Google and stands behind no policy. Pure.
[[nodiscard]] http::SessionOptions session_options(const policy::Policies& policies);

}  // namespace serin::fleet
