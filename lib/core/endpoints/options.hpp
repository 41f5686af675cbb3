#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/time.hpp"
#include "serin/endpoints/caller.hpp"
#include "serin/ports/health.hpp"

namespace serin::endpoints {

/// How an answer is written; docs/guide/health-dialects.md shows each.
enum class Dialect : std::uint8_t {
  native,        ///< the contract of record
  kubernetes,    ///< "ok", or a line a check
  microprofile,  ///< Quarkus, SmallRye, Open Liberty
  actuator,      ///< Spring Boot, version 3
  health_json,   ///< application/health+json of the IETF draft
  aspnet_word,   ///< "Healthy", "Degraded" or "Unhealthy"
  aspnet_ui,     ///< what HealthChecks UI reads
  prometheus,    ///< gauges; 200 whatever they say
};

/// How much of what is known somebody is told. Each level shows what the one before it shows, and more.
enum class Disclosure : std::uint8_t {
  none,        ///< the code, and no body
  status,      ///< one word for all; no name of anything
  components,  ///< who the process is, and each check's name, status and duration
  details,     ///< errors, reasons and details, without the secrets that redact() sees
};

/// The HTTP status for each thing that can be known. 200 to 599, none that forbids a body.
struct Codes {
  int up = 200;
  int degraded = 200;  ///< 503 takes a replica out of rotation that still works
  int unknown = 503;
  int out_of_service = 503;
  int down = 503;
  int draining = 503;  ///< 404 is for HAProxy's `http-check disable-on-404`
};
/// 503 only when a liveness check fails: a restart is the only thing that its reader does.
[[nodiscard]] constexpr Codes liveness_codes() noexcept { return {.unknown = 200, .draining = 200}; }
/// What has started has started, even while it ends.
[[nodiscard]] constexpr Codes startup_codes() noexcept { return {.draining = 200}; }

/// What one more segment after a route's path means: "/ready/db".
enum class Below : std::uint8_t { nothing, check, group };

struct Route {
  std::string path;                        ///< "/ready": absolute, no slash at the end, nothing to decode
  health::Kind kind = health::Kind::deep;  ///< one of them
  std::string group = {};                  ///< only this group; empty: all
  Below below = Below::nothing;            ///< group: the path alone is no route
  bool on_demand = false;                  ///< checks that run on demand are asked; false: from memory, and prepared
  Dialect dialect = Dialect::native;       ///< when the caller has no wish
  bool by_accept = true;                   ///< false: this dialect whatever the caller accepts
  Codes codes = {};
};

/// /health, /ready, /ready/<check>, /startup, /health/deep, /health/deep/<check>, /health/group/<name>.
[[nodiscard]] std::vector<Route> default_routes();

struct EndpointsOptions {
  std::vector<Route> routes = default_routes();
  /// What callers without a name are told. Nothing: what the dialect's own specification promises to anybody, which is
  /// components for native and MicroProfile and status for all others.
  std::optional<Disclosure> anonymous = std::nullopt;
  Disclosure principals = Disclosure::details;  ///< what callers with a name are told
  Authenticator authenticator = {};             ///< nobody has a name without one
  Duration deadline = 5s;                       ///< of an answer that asks checks; > 0
  Duration prepared_for = 100ms;                ///< how old a prepared answer may get; 0: none is prepared; <= 10 s
  bool may_hide_failures = false;               ///< allows codes below 400 for what does not serve
  bool envoy_headers = false;                   ///< adds them to every answer; they name the service to everybody
  std::string about = {};                       ///< link of health+json; empty: none
};

}  // namespace serin::endpoints
