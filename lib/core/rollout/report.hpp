#pragma once
#include <optional>
#include <string>
#include <vector>

#include "serin/ports/latency.hpp"
#include "serin/rollout/record.hpp"

namespace serin::rollout {

/// One arm's counts, attempts that a retry hid included.
struct ArmTotals {
  std::int64_t requests = 0;
  std::int64_t errors = 0;
  std::int64_t hidden = 0;
  LatencyHistogram latency;  ///< of the answered requests of those seconds in which it is known
  std::int64_t untimed = 0;  ///< requests of the other seconds
};

struct StageReport {
  int stage = -1;
  double percent = 0;
  Instant entered;  ///< when its split was read back
  Duration lasted{};
  int extensions = 0;
  std::string verdict;  ///< why it was left: "healthy: ...", "undecided: ...", "worse: ..."; empty while it runs
  ArmTotals canary;
  ArmTotals baseline;
  double worse = 0;  ///< natural log of the evidence at its end
  double healthy = 0;
};

/// A rollout as people want to know it. Made from the journal alone, so that it is the same after a crash.
struct Report {
  std::int64_t id = 0;
  std::string service;
  std::string release;
  std::string baseline;
  std::string digest;
  State outcome = State::starting;
  std::string reason;
  std::string paused;  ///< by whom and why; empty: it is not
  std::string awaits;  ///< an approval, before which stage; empty: none
  WallTime began;
  Instant began_at;
  std::optional<Instant> ended_at;
  std::vector<StageReport> stages;
  ArmTotals canary;
  ArmTotals baseline_counts;
  std::int64_t failed_user_requests = 0;  ///< errors of both arms that no retry hid, and those of nobody in particular
  std::int64_t canary_user_failures = 0;  ///< those of the canary among them
  std::int64_t unattributed = 0;
  std::int64_t lost = 0;
  double worse = 0;  ///< natural logs of the evidence at the end
  double healthy = 0;
  double worse_needed = 0;  ///< ln(1/alpha), ln(1/beta): from there on it is a verdict
  double healthy_needed = 0;
  std::optional<Instant> promoted_at;  ///< when it had everything, read back; also if that was taken back later
  std::optional<Instant> first_bad;    ///< start of the second in which the canary's first error ended
  std::optional<Instant> verdict_at;   ///< when it was decided to go back
  std::optional<Instant> restored_at;  ///< when the old split was read back
  Split before;
  std::optional<Split> after;  ///< last split that was read back
};

/// Folds a record into its report. Pure.
[[nodiscard]] Report make_report(const Record& record);
/// Why an order for that rollout, which nobody drives any more, is refused, and what can be done instead. Pure.
[[nodiscard]] std::string too_late(const Record& record);
/// One JSON object, the form of `--json`.
[[nodiscard]] std::string report_json(const Report& report);
/// "p50 20 to 22 ms, p95 41 to 45 ms, p99 60 to 66 ms": the edges between which each lies; "not known", "no answer".
[[nodiscard]] std::string latency_text(const ArmTotals& arm);
/// "canary 12 of 480 failed, baseline 3 of 9000; worse 5.2 of 4.6 nats, healthy -3.1 of 3.0".
[[nodiscard]] std::string evidence_text(const Report& report);

}  // namespace serin::rollout
