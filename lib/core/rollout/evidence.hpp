#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "serin/base/name.hpp"
#include "serin/judge/canary_judge.hpp"
#include "serin/judge/error_judge.hpp"
#include "serin/judge/share_check.hpp"
#include "serin/ports/traffic.hpp"
#include "serin/rollout/record.hpp"

namespace serin::rollout {

enum class Finding : std::uint8_t { undecided, healthy, worse };

/// What the evidence says so far. Texts that are empty mean: nothing of that kind.
struct Findings {
  Finding verdict = Finding::undecided;
  std::string reason;      ///< the verdict in figures; why it is undecided
  std::string all_failed;  ///< the candidate's last requests all failed, and the baseline's did not
  std::string both_fail;   ///< ... and the baseline's did too: an outage of both
  std::string incident;    ///< both are worse than before: nobody's fault, and no time to release
  std::string share_off;   ///< the router does not give the candidate what was asked for, beyond chance
};

/// A second of traffic as two arms: the candidate, and every other release together. Pure.
[[nodiscard]] Bucket make_bucket(const TrafficSecond& second, const ReleaseName& candidate, int stage);

/// The judge that a plan asks for. Pure. \param plan  has passed Plan::make
[[nodiscard]] judge::CanaryJudgeOptions judge_of(const PlanOptions& plan);

/// What the seconds before a rollout teach of the release that has everything. Seconds in which another release had
/// requests, or of which something is unknown, teach nothing. With less than `plan.least` of traffic only the
/// dispersion is learned: then requests and errors are 0. Pure.
[[nodiscard]] judge::History learn(const PastPlan& plan, const TrafficWindow& window, const ReleaseName& baseline);

/// The same for how long its requests took; seconds of which that is not known teach nothing. Nothing: no request.
/// Pure.
[[nodiscard]] std::optional<judge::LatencyPast> learn_latency(const TrafficWindow& window, const ReleaseName& baseline);

/// Turns seconds of traffic into findings. The proof that the candidate is worse gathers over the whole rollout, the
/// proof that it is healthy anew in each stage: what was fine at 5 % says little about 50 %. What is not known counts
/// against health: a failure of nobody in particular is the candidate's there, and a request that is in no count
/// failed. Threads: one; pure.
class Evidence {
 public:
  /// \param plan  has passed Plan::make
  explicit Evidence(const PlanOptions& plan);
  /// Begins a stage. Only seconds after `second` count for its health, its share and its totals.
  void enter(double percent, std::int64_t second);
  /// Takes the next second and fills in its `worse` and `healthy`.
  void add(Bucket& bucket);
  [[nodiscard]] Findings findings() const;

 private:
  void add_latency(const Bucket& bucket);
  [[nodiscard]] std::string share_off() const;
  [[nodiscard]] std::string guilt_reason() const;
  [[nodiscard]] judge::ErrorJudge fresh() const;

  PlanOptions plan_;
  judge::CanaryJudge guilt_;
  judge::RatioInterval ratio_;
  judge::ErrorJudge healthy_;
  judge::ShareCheck share_{0.5, 1};
  std::int64_t first_traffic_ = -1;  // second
  double percent_ = 0;
  std::int64_t entered_ = -1;
  // Of the stage:
  Bucket total_;
  // The newest seconds in which every request of the candidate failed:
  Bucket streak_;
};

}  // namespace serin::rollout
