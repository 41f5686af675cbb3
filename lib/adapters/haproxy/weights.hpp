#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/name.hpp"
#include "serin/ports/router.hpp"

namespace serin::haproxy {

/// A server as the router has it.
struct Server {
  std::string name;     ///< "<release>-<index>"
  std::string address;  ///< "127.0.0.1:41234"
  bool in_rotation = false;
  int weight = 0;  ///< 0 to 256, as set by us
};

/// "v2" of "v2-0". Empty for a name that is not one of ours.
[[nodiscard]] std::string_view release_of(std::string_view server) noexcept;

struct Weight {
  std::string server;
  int weight = 0;
  friend bool operator==(const Weight&, const Weight&) = default;
};

/// Whole weights up to 256 that come nearest to the split, in the order of `servers`. A release's share is divided
/// among its servers in rotation; one that has none in rotation keeps weights, which count when a server comes back.
/// Pure.
[[nodiscard]] std::vector<Weight> plan_weights(const Split& split, const std::vector<Server>& servers);
/// The shares that these weights make. All 0 when there is no weight. Pure.
[[nodiscard]] Split split_of(const std::vector<Server>& servers);

}  // namespace serin::haproxy
