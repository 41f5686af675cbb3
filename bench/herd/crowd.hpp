#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "scenario.hpp"
#include "serin/retry/backoff.hpp"

// Many clients and one server that stands still for ten seconds: what overload, boundary and loops play.
namespace serin::herd {

enum class BudgetKind : std::uint8_t { none, token, in_flight, quota };

/// Everything that may differ between two plays. The defaults are the table at the top of the page.
struct Setup {
  std::string_view name;
  int attempts = 4;
  retry::BackoffOptions backoff{.first = 100ms, .most = 10s};
  BudgetKind budget = BudgetKind::none;
  bool breaker = false;
  double throttle = 0;  ///< K of a client-side throttle; 0: none
  int clients = 200;
  double arrivals = 700;  ///< a second, of all clients together; open loop
  double think = 0;       ///< seconds between two requests of a client; above 0: closed loop, `arrivals` is not used
  std::int64_t admitted = 0;     ///< the server lets so many in, waiting or worked on, and refuses others; 0: all
  bool passes_deadline = false;  ///< the server drops a request whose client has given up
};

// The server and the course of a play.
constexpr double capacity = 1000;  // a second
constexpr int workers = 100;
constexpr std::size_t queue_limit = 2000;
constexpr Duration client_timeout = 1s;
constexpr Duration stall_from = 40s;
constexpr Duration stall_to = 50s;
constexpr Duration length = 180s;

struct CrowdOutcome {
  double peak = 0;              ///< offered in a second over capacity, after the stall
  double recovery = -1;         ///< seconds after the stall until 95 % of the requests of 5 s succeed; -1: never
  double goodput = 0;           ///< share of the requests of the 60 s after the stall that succeeded
  double amplification = 0;     ///< attempts a request
  double refused = 0;           ///< share of the attempts that a breaker or a throttle of the client refused
  std::vector<double> offered;  ///< attempts that reach the server, each second
};

[[nodiscard]] CrowdOutcome play_crowd(const Setup& setup, std::uint64_t seed);

/// How many came back, and after how long.
struct Recovery {
  double share = 0;  ///< of the seeds
  Estimate seconds;  ///< of those that did
};
[[nodiscard]] Recovery recovery_of(const std::vector<CrowdOutcome>& outcomes);

}  // namespace serin::herd
