#pragma once
#include <string_view>

namespace serin::monitor {

/// As little as a catalogue can say: one service with one objective, and one receiver of everything.
inline constexpr std::string_view small_catalogue = R"(notify:
  receivers: {all: {webhook: "http://127.0.0.1:9/"}}
  severities: {page: all, ticket: all}
services:
  shop:
    owner: sales
    targets: ["127.0.0.1:8001"]
    slos: [{name: availability, objective: 99.9, period: 30d}]
)";

}  // namespace serin::monitor
