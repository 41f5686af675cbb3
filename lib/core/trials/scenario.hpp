#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/judge/options.hpp"

namespace serin::trials {

/// One stage of a rollout that is played.
struct StageOfPlay {
  double percent = 5;          ///< of the requests, above 0 and below 100
  std::int64_t seconds = 300;  ///< > 0
};

/// Clients with habits of their own, each kept by one version.
struct Clients {
  std::int64_t count = 500;  ///< 1 to 100,000
  double broken = 0;         ///< share of them whose every request fails, on either version
};

/// How long requests take: lognormal, and some stall.
struct Times {
  double median_ms = 50;    ///< > 0
  double spread = 0.5;      ///< standard deviation of the logarithm, > 0
  double slower = 1;        ///< the canary's times are that many times as long
  double stalled = 0;       ///< share of the canary's requests that stall ...
  double stall_times = 10;  ///< ... and take that many times as long
};

/// What users and versions do during a rollout; what each judge is shown is drawn from it.
struct Scenario {
  std::string name;
  std::string says;                     ///< one line for people
  double rate = 100;                    ///< requests a second of both versions together, > 0
  double errors = 0.002;                ///< share that fails of the old version, 0 to 1
  std::int64_t history_seconds = 3600;  ///< of the old version alone before, >= 0
  std::int64_t bucket_seconds = 1;      ///< what a judge is shown at a time, 1 to 60

  double times = 1;       ///< the canary's error rate is that many times the baseline's ...
  double plus = 0;        ///< ... and so much more
  std::int64_t from = 0;  ///< second of the rollout from which on it is
  std::int64_t ramp = 0;  ///< seconds over which it grows to that; 0: at once

  double burst = 1;  ///< mean size of the clumps in which errors come, >= 1
  double drift = 1;  ///< both versions' error rates grow to that many times over the rollout
  struct Incident {
    std::int64_t at = 0;
    std::int64_t seconds = 60;
    double errors = 0.06;  ///< share that fails of both versions meanwhile
  };
  std::vector<Incident> incidents;
  std::optional<Clients> clients;
  std::optional<Times> latency;
  std::vector<StageOfPlay> stages = {{5, 300}, {50, 300}, {95, 300}};

  std::optional<bool> expect_healthy;  ///< said in the file; else healthy() is told by the canary's numbers
  /// The canary is not worse than it may be, so whoever takes it back is wrong.
  [[nodiscard]] bool healthy() const noexcept;
  [[nodiscard]] std::int64_t seconds() const noexcept;
  /// Share that fails at a second of the rollout.
  [[nodiscard]] double baseline_rate(std::int64_t second) const noexcept;
  [[nodiscard]] double canary_rate(std::int64_t second) const noexcept;
};

/// Seconds of a bucket of the time before the rollout: long ones, because only sums are learned from it; where clients
/// are counted as long as the rollout's own, because a client counts once a bucket. Pure.
[[nodiscard]] std::int64_t before_step(const Scenario& scenario) noexcept;

/// A scenario and how our judge is to be set for it.
struct ScenarioFile {
  Scenario scenario;
  judge::CanaryJudgeOptions judge;
};

/// Reads one strictly. Errors: invalid_argument "file:line:column: sentence", with a suggestion for a word that is near
/// a known one. Pure.
Result<ScenarioFile> parse_scenario(std::string_view text, std::string_view file);

}  // namespace serin::trials
