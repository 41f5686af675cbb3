#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/judge/options.hpp"

namespace serin::rollout {

/// What happens when a stage's time is over and nothing is proved. Whatever it is, it is printed and journalled.
enum class OnUndecided : std::uint8_t { hold, extend, advance, rollback };
[[nodiscard]] std::string_view on_undecided_name(OnUndecided policy) noexcept;
/// Nothing unless the text is one of hold, extend, advance, rollback.
[[nodiscard]] std::optional<OnUndecided> parse_on_undecided(std::string_view text) noexcept;

/// Whether data checks, or smoke tests of the candidate at its own address, have a say, and where.
struct GatePlan {
  std::string file = {};   ///< of checks or tests; empty: none have
  bool before = true;      ///< the first stage
  bool between = true;     ///< two stages
  bool after = true;       ///< the last stage, before everything goes to the candidate
  Duration timeout = 10s;  ///< for one answer; 100 ms to 1 min, because nobody watches the candidate meanwhile
};

/// Before which stages a person has to say yes.
struct ApprovalPlan {
  bool first = false;               ///< the first stage, whichever it is; the candidate waits at 0 %
  std::vector<double> before = {};  ///< each one of the stages, or 100
  Duration timeout = 1h;            ///< for the answer, while the stage before is watched; then held; >= 1 s
};

/// How the traffic from before a rollout is used. The old version's past is a witness where hardly anybody uses it any
/// more; how its errors clump says how much a few of them mean.
struct PastPlan {
  Duration window = 1h;   ///< before the rollout; 0: nothing is learned; at most 2 h, counts are not kept longer
  Duration least = 5min;  ///< of traffic in it, or the past is no witness; >= 1 min
  judge::Margin tolerable{2, 0.001};  ///< the canary's rate beside the past's: a day's drift is tolerable
  Duration attribution_wait = 60s;    ///< for the old version's errors to say whose fault it is, then it is taken back
};

/// Whether slowness takes a release back, and how much of it is meant.
struct LatencyPlan {
  bool judged = true;
  Duration tolerable = 5ms;  ///< each request may take so much longer; 0 to 1 min
  Duration warm_up = 10s;    ///< of the candidate's first traffic, while its caches are cold: not judged; >= 0
};

/// As a person writes it, in a file or as options of `serin deploy`. It may hold nonsense: Plan::make checks.
struct PlanOptions {
  std::vector<double> stages = {5, 50, 95};  ///< percent, growing, each > 0 and < 100; 0 goes before, 100 comes after
  Duration monitoring_duration = 5min;       ///< of each stage; >= 1 s
  Duration zero_duration = 0s;  ///< at 0 %, after the candidate is ready, to watch it without traffic; >= 0
  OnUndecided on_undecided = OnUndecided::extend;        ///< at the last stage; a stage before it: on_undecided_early
  OnUndecided on_undecided_early = OnUndecided::extend;  ///< at a stage that is not the last
  int max_extensions = 2;                                ///< of one stage; then it is held; >= 0
  bool early_promotion = true;                           ///< leave a stage as soon as health is proved
  Duration min_stage = 10s;                              ///< ... but not before; >= 0, <= monitoring_duration
  Duration ready_timeout = 60s;                          ///< for the candidate's replicas to become ready; >= 1 s
  Duration restore_timeout = 30s;  ///< after which a rollback that does not read back right is escalated; >= 1 s
  Duration apply_timeout = 5s;     ///< for the router to take a stage's split; >= 100 ms
  Duration blind_timeout = 10s;    ///< unreadable router, platform or counts for longer: held; >= 2 s
  Duration readiness_grace = 2s;   ///< a candidate not ready for longer has lost its readiness; >= 0
  Duration call_timeout = 2s;      ///< of one call to router, platform or counts; >= 100 ms
  Duration look_every = 500ms;     ///< how often they are asked while a stage lasts; >= 100 ms
  std::int64_t all_failed = 20;    ///< that many requests in a row without one success: rolled back; >= 1
  bool keep_old = false;           ///< leave the old release running, without traffic, after the promotion
  judge::ErrorJudgeOptions judge;
  PastPlan past = {};
  LatencyPlan latency = {};
  std::optional<judge::History> learned = {};  ///< by the engine when a rollout begins; never written by a person
  std::optional<judge::LatencyPast> learned_latency = {};  ///< the same
  GatePlan gate = {};                                      ///< data checks
  GatePlan smoke = {};                                     ///< smoke tests
  ApprovalPlan approval = {};
};

/// The candidate's percentage in a stage; 0 before the first, which is stage -1. Throws std::out_of_range for a stage
/// that the plan does not have: only a damaged journal names one.
[[nodiscard]] double percent_of(const std::vector<double>& stages, int stage);
/// And in the one after it: 100 after the last.
[[nodiscard]] double percent_after(const std::vector<double>& stages, int stage);

/// Options that passed their checks.
class Plan {
 public:
  /// Errors: invalid_argument, naming the first field out of range, its value and the range.
  static Result<Plan> make(PlanOptions options);
  [[nodiscard]] const PlanOptions& options() const noexcept { return options_; }

 private:
  explicit Plan(PlanOptions options) : options_(std::move(options)) {}
  PlanOptions options_;
};

/// "5,50,95" as percentages; blanks and '%' signs are fine. Only the form is checked here, the order by Plan::make.
/// Errors: invalid_argument.
[[nodiscard]] Result<std::vector<double>> parse_stages(std::string_view text);

}  // namespace serin::rollout
