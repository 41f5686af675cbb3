#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/judge/error_judge.hpp"

namespace serin::judge {

/// One line of recorded traffic.
struct RecordedSecond {
  std::int64_t second = 0;
  Bucket bucket;
};

/// Reads `second,canary_requests,canary_errors,baseline_requests,baseline_errors`: a line of these names (in any
/// order), then whole numbers, seconds growing. Errors: invalid_argument "file:line: sentence". Pure.
Result<std::vector<RecordedSecond>> parse_recording(std::string_view csv, std::string_view file);

struct ReplayOptions {
  ErrorJudgeOptions judge;  ///< its bucket counts are in seconds here; the recording's step scales them
  std::vector<std::int64_t>
      stage_seconds;  ///< lengths of the stages, > 0; empty: everything is one stage; the last goes on
};

struct ReplayStep {
  std::int64_t second = 0;
  int stage = 0;
  Verdict verdict = Verdict::undecided;
  Evidence evidence;  ///< the healthy side is the stage's own
};

struct Replay {
  Verdict verdict = Verdict::undecided;
  std::optional<std::int64_t> second;  ///< when it fell; nothing when undecided
  std::string reason;
  std::vector<ReplayStep> steps;
};

/// Judges a recording as a rollout would have: the proof of "worse" gathers over all of it and ends it; the proof of
/// health starts anew in each stage, and the verdict is healthy when the last stage that was reached has it.
/// Errors: invalid_argument (options, a stage of no length). Pure.
Result<Replay> replay(const std::vector<RecordedSecond>& recording, const ReplayOptions& options);

}  // namespace serin::judge
