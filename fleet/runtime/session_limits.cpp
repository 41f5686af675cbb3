#include "serin/fleet_runtime/session_limits.hpp"

#include <algorithm>
#include <string_view>

#include "serin/guard/guarded_http.hpp"

namespace serin::fleet {
namespace {

constexpr std::size_t most_connections = 10'000;  // that a session takes
constexpr std::size_t origins = 4;                // whose limits are reached at one time

/// Calls that a policy lets be under way.
std::size_t at_once(const guard::TargetPolicy& policy) {
  std::size_t most = most_connections;
  if (policy.bulkhead) most = std::min(most, static_cast<std::size_t>(policy.bulkhead->most));
  if (policy.adaptive) most = std::min(most, static_cast<std::size_t>(policy.adaptive->most));
  return most;
}

/// "http:*", "http://peer:80", "h*", "*".
bool may_be_http(std::string_view target) {
  constexpr std::string_view http = "http";
  const bool star = target.ends_with('*');
  if (star) target.remove_suffix(1);
  return target.starts_with(http) || (star && http.starts_with(target));
}

}  // namespace

http::SessionOptions session_options(const policy::Policies& policies) {
  http::SessionOptions out;
  if (const auto usual = guard::usual_http_policy()) out.per_origin = std::max(out.per_origin, at_once(*usual));
  for (const policy::NamedPolicy& named : policies.targets())
    if (may_be_http(named.target)) out.per_origin = std::max(out.per_origin, at_once(named.policy));
  out.total = std::max(out.total, origins * out.per_origin);
  return out;
}

}  // namespace serin::fleet
