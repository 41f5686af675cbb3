#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "serin/judge/options.hpp"
#include "serin/trials/trial.hpp"

namespace serin::trials {

/// A plan and the traffic that it is to see something in.
struct PowerQuestion {
  double rate = 0;                      ///< requests a second of all, > 0
  double errors = 0;                    ///< share that fails, 0 to 1
  double dispersion = 1;                ///< how much errors clump, as HistoryLearner says it, >= 1
  std::int64_t history_seconds = 3600;  ///< that the judge will have learned from, >= 0
  std::vector<StageOfPlay> stages;
  judge::CanaryJudgeOptions judge;
  std::int64_t runs = 300;  ///< played for each answer, >= 1
  std::uint64_t seed = 1;
};

/// What a stage can see by itself.
struct StageSight {
  StageOfPlay stage;
  double canary_requests = 0;           ///< expected
  std::optional<double> smallest;       ///< the canary's error rate that is found with a probability of 80 %
  double found = 0;                     ///< share of the runs in which it was
  double seconds = 0;                   ///< from the stage's begin until it is found (median)
  double failed = 0;                    ///< requests of the canary that fail until then (mean)
  double proved = 0;                    ///< share of the runs in which a healthy canary is proved healthy
  std::optional<double> proof_seconds;  ///< after how long (median)
  /// Not even a canary half of whose requests fail is found.
  [[nodiscard]] bool blind() const noexcept { return !smallest || *smallest > 0.5; }
};

struct PlanSight {
  std::vector<StageSight> stages;
  /// None of its stages sees anything.
  [[nodiscard]] bool blind() const noexcept;
};

/// Plays rollouts numbered 0 to runs - 1; where threads are allowed it may use some.
using Player = std::function<std::vector<Trial>(const Scenario&, const ContenderKind&, std::int64_t runs,
                                                std::uint64_t seed, Promotion)>;

/// The smallest regressions that each stage finds, by simulation with the judge itself. Error rates are tried on a
/// ladder of about a quarter a step. Pure but for the player.
[[nodiscard]] PlanSight look_at_plan(const PowerQuestion& question, const Player& player);

}  // namespace serin::trials
