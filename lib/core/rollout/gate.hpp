#pragma once
#include <cstdint>
#include <string>
#include <vector>

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

/// Who is asked about, and where.
struct GateQuestion {
  ServiceName service;
  std::string file;  ///< of the plan
  GatePoint point = GatePoint::before;
  std::vector<std::string> candidate = {};  ///< its replicas' own addresses, whatever its share; empty: not known
};

/// Says whether a rollout may go on: by the data, or by what the candidate answers. Threads: the engine's.
class Gate {
 public:
  virtual ~Gate() = default;
  /// Answers by the deadline, because nobody watches the candidate meanwhile. What cannot be found out is unknown.
  virtual GateAnswer ask(const GateQuestion& question, Deadline deadline) = 0;
};

}  // namespace serin::rollout
