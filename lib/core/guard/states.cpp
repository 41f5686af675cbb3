#include "serin/guard/states.hpp"

#include <boost/json.hpp>

namespace serin::guard {
namespace {

namespace json = boost::json;

json::string text(std::string_view view) { return json::string(view.data(), view.size()); }

std::string_view override_name(breaker::Override override) {
  switch (override) {
    case breaker::Override::none: return "none";
    case breaker::Override::forced_open: return "forced_open";
    case breaker::Override::disabled: return "disabled";
    case breaker::Override::metrics_only: return "metrics_only";
  }
  return "none";
}

}  // namespace

std::string to_json(const std::vector<NamedState>& states) {
  json::array targets;
  for (const auto& [name, state] : states)
    targets.push_back({{"name", name},
                       {"breaker", text(breaker::state_name(state.breaker.state))},
                       {"override", text(override_name(state.breaker.override))},
                       {"calls", state.breaker.calls},
                       {"failures", state.breaker.failures},
                       {"slow", state.breaker.slow},
                       {"rejected", state.breaker.rejected + state.bulkhead.rejected},
                       {"opened", state.breaker.opened},
                       {"open_for_seconds", seconds_of(state.breaker.opens_again_in)},
                       {"budget_left", state.budget_left},
                       {"inside", state.bulkhead.inside},
                       {"waiting", state.bulkhead.waiting}});
  return json::serialize(json::object{{"targets", std::move(targets)}});
}

}  // namespace serin::guard
