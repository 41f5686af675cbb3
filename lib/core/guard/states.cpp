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

/// What a target without a breaker would say: it is never open.
json::object breaker_of(const std::optional<breaker::Breaker::Snapshot>& breaker) {
  if (!breaker)
    return {{"breaker", nullptr}, {"override", nullptr}, {"calls", nullptr},           {"failures", nullptr},
            {"slow", nullptr},    {"opened", nullptr},   {"open_for_seconds", nullptr}};
  return {{"breaker", text(breaker::state_name(breaker->state))},
          {"override", text(override_name(breaker->override))},
          {"calls", breaker->calls},
          {"failures", breaker->failures},
          {"slow", breaker->slow},
          {"opened", breaker->opened},
          {"open_for_seconds", seconds_of(breaker->opens_again_in)}};
}

}  // namespace

std::string to_json(const std::vector<NamedState>& states) {
  json::array targets;
  for (const auto& [name, state] : states) {
    json::object target = breaker_of(state.breaker);
    std::int64_t rejected = state.breaker ? state.breaker->rejected : 0;
    json::value inside;
    json::value waiting;
    json::value most;
    if (state.adaptive) {
      rejected += state.adaptive->rejected;
      inside = state.adaptive->in_flight;
      most = state.adaptive->limit;
    }
    if (state.bulkhead) {
      rejected += state.bulkhead->rejected;
      inside = state.bulkhead->inside;
      waiting = state.bulkhead->waiting;
    }
    target["name"] = name;
    target["rejected"] = rejected;
    target["budget_left"] = state.budget_left;
    target["inside"] = std::move(inside);
    target["waiting"] = std::move(waiting);
    target["most_at_once"] = std::move(most);
    target["rate_left"] = state.rate_left ? json::value(*state.rate_left) : json::value();
    targets.push_back(std::move(target));
  }
  return json::serialize(json::object{{"targets", std::move(targets)}});
}

}  // namespace serin::guard
