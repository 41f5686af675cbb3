#pragma once
#include <cstdint>
#include <string>

#include "serin/base/name.hpp"
#include "serin/base/time.hpp"

namespace serin::rollout {

/// Where a rollout asks: before the first stage, between two stages, after the last one.
enum class GatePoint : std::uint8_t { before, between, after };
enum class GateVerdict : std::uint8_t { pass, fail, unknown };
struct GateAnswer {
  GateVerdict verdict = GateVerdict::unknown;
  std::string reason = {};
};

/// Says whether the data allows a rollout to go on. Threads: the engine's.
class Gate {
 public:
  virtual ~Gate() = default;
  /// Answers by the deadline, because nobody watches the candidate meanwhile. What cannot be found out is unknown.
  /// \param file  of the plan
  virtual GateAnswer ask(const ServiceName& service, const std::string& file, GatePoint point, Deadline deadline) = 0;
};

}  // namespace serin::rollout
