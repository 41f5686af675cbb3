#pragma once
#include <string_view>

#include "serin/rollout/record.hpp"

namespace serin::rollout {

/// Told what a rollout does, while it does it. Threads: the engine's. Does not block for long.
class RolloutObserver {
 public:
  virtual ~RolloutObserver() = default;
  /// A stage was reached: its split was read back. `percent` is 0 before the first, 100 after the last.
  virtual void on_stage(const Record& record, double percent) = 0;
  /// Another second of evidence.
  virtual void on_evidence(const Record& record, const Bucket& bucket) = 0;
  /// Why a stage was left, or the traffic was taken back.
  virtual void on_verdict(const Record& record, std::string_view text) = 0;
  /// Anything else worth a line: starting, probing, extending, holding.
  virtual void on_note(std::string_view text) = 0;
};

}  // namespace serin::rollout
