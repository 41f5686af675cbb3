#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin::sim {

/// What happens at each call to the outside: `before` may answer an error instead of the call, or throw, as a process
/// does that is killed there; `after` is called when the effect is there and the caller does not know yet.
struct Outside {
  std::function<Status(std::string_view call)> before;
  std::function<void(std::string_view call)> after;
  /// Runs `effect` between the two.
  template <class Effect>
  auto call(std::string_view what, const Effect& effect) const -> decltype(effect()) {
    if (before)
      if (Status allowed = before(what); !allowed) return std::unexpected<Error>(std::move(allowed).error());
    auto result = effect();
    if (after) after(what);
    return result;
  }
};

/// What kill -9 is here: the stack of whoever was called is gone, the world goes on.
struct Killed {};

/// Calls `act` and kills it at its n-th point, before or after the effect of an outside call; 0: never. Returns where,
/// "after journal.write", or nothing when it ended before. Afterwards nothing is watched any more.
template <class Act>
std::string killed_at(Outside& outside, int n, const Act& act) {
  int points = 0;
  std::string where;
  const auto point = [&](std::string_view call, std::string_view when) {
    if (++points != n) return;
    where = std::string(when) + " " + std::string(call);
    throw Killed{};
  };
  outside.before = [&](std::string_view call) -> Status {
    point(call, "before");
    return {};
  };
  outside.after = [&](std::string_view call) { point(call, "after"); };
  try {
    act();
  } catch (const Killed&) {
    if (where.empty()) throw;  // not by us
  }
  outside = {};
  return where;
}

}  // namespace serin::sim
