#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "serin/base/error.hpp"
#include "serin/judge/against_past.hpp"
#include "serin/judge/dispersion.hpp"
#include "serin/judge/latency.hpp"
#include "serin/judge/likelihood.hpp"
#include "serin/judge/options.hpp"

namespace serin::judge {

/// What is said of a canary's guilt. Its health is another proof (ErrorJudge).
enum class Guilt : std::uint8_t {
  unproved,
  worse,     ///< the canary is worse than it may be
  incident,  ///< both arms are worse than before: not the canary's fault, and no time to release either
};

/// What made it so.
enum class Cause : std::uint8_t {
  nothing,
  beside_baseline,  ///< more errors than the baseline at the same time
  against_past,     ///< more errors than the old version had before, while the baseline has not
  unattributed,     ///< the same, and nobody is left to compare with: taken back because that is cheap
  slower,           ///< slower than the baseline at the same time
};

struct CanaryEvidence {
  double beside = 0;         ///< natural log of the evidence against the baseline of the same time, all metrics
  double beside_needed = 0;  ///< from there on it is a verdict
  double tails = 0;          ///< of it, the evidence of the slow tails alone
  double body = 0;           ///< natural log of the evidence that the whole canary is slower; 0 without latencies
  double body_needed = 0;    ///< 0 without latencies
  double past = 0;           ///< the same against the old version's past; 0 without one
  double past_needed = 0;
  Bucket total;
};

/// Everything that can end a rollout by statistics: the canary beside its baseline (errors, and latency where there are
/// histograms), and the canary against the old version's past, which sees what comes when hardly anybody is left to
/// compare with. Alpha is divided among them once, at the start: half for each of the two, and without a past all of it
/// for the first. May be asked after every bucket.
///
/// What the past alone finds is attributed before it is a verdict: the baseline as before means worse, the baseline
/// worse too means an incident, and if the baseline is too small to say, it is taken back after `attribution_wait`.
/// Threads: one; pure. Sources: see Mixture, AgainstPast, LatencyJudge and `combined`.
class CanaryJudge {
 public:
  /// Errors: invalid_argument, as ErrorJudge::make and LatencyJudge::make.
  static Result<CanaryJudge> make(const CanaryJudgeOptions& options);

  /// The next bucket; `failed_clients`: different clients of the canary that failed so far, where they are known.
  void add(const Bucket& bucket, std::optional<std::int64_t> failed_clients = std::nullopt);
  /// How long the baseline's requests take while it is alone. Only with CanaryJudgeOptions::latency.
  void learn_latency(const LatencyCounts& baseline);
  /// How long the requests of a bucket took. Only with CanaryJudgeOptions::latency.
  void add_latency(const LatencyCounts& canary, const LatencyCounts& baseline);

  [[nodiscard]] Guilt guilt() const noexcept { return guilt_; }
  [[nodiscard]] Cause cause() const noexcept { return cause_; }
  [[nodiscard]] CanaryEvidence evidence() const;
  [[nodiscard]] const std::optional<AgainstPast>& past() const noexcept { return past_; }
  [[nodiscard]] const std::optional<LatencyJudge>& latency() const noexcept { return latency_; }
  [[nodiscard]] const CanaryJudgeOptions& options() const noexcept { return options_; }

 private:
  explicit CanaryJudge(CanaryJudgeOptions options);
  void decide_beside();
  void decide_by_past();
  [[nodiscard]] bool enough_errors() const noexcept;
  void found(Guilt guilt, Cause cause) noexcept;

  CanaryJudgeOptions options_;
  Mixture errors_;
  std::optional<AgainstPast> past_;
  std::optional<LatencyJudge> latency_;
  double beside_needed_;
  double past_needed_;
  Bucket total_;
  std::optional<std::int64_t> failed_clients_;
  std::int64_t waited_ = 0;  // buckets since the past's evidence was enough
  Guilt guilt_ = Guilt::unproved;
  Cause cause_ = Cause::nothing;
};

/// Why, in figures: "canary 31 of 480 failed (6.46 %), baseline ...". Pure.
[[nodiscard]] std::string explain(const CanaryJudge& judge);

}  // namespace serin::judge
