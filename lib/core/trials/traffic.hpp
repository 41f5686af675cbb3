#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "serin/judge/clients.hpp"
#include "serin/judge/latency.hpp"
#include "serin/judge/likelihood.hpp"
#include "serin/trials/sampler.hpp"
#include "serin/trials/scenario.hpp"

namespace serin::trials {

/// What there is to be seen of one bucket.
struct Tick {
  std::int64_t second = 0;  ///< of the rollout, at the bucket's begin; below 0: the old version alone, before
  std::int64_t seconds = 1;
  judge::Bucket requests;
  std::optional<judge::Bucket> clients;  ///< the same in clients, where they are known
  std::int64_t failed_clients = 0;       ///< of the canary, so far
  judge::LatencyCounts canary_times;     ///< empty without latency
  judge::LatencyCounts baseline_times;
};

/// Draws a scenario's traffic. Threads: one; the same for a seed.
class TrafficOfPlay {
 public:
  /// \param scenario  outlives it
  TrafficOfPlay(const Scenario& scenario, std::uint64_t seed);
  /// Seconds before the rollout, the old version alone; `second` is below 0.
  Tick before(std::int64_t second, std::int64_t seconds);
  /// A bucket of a stage.
  Tick next(std::int64_t second, std::int64_t seconds, double percent);

 private:
  void draw_counts(Tick& tick, double share, double canary_rate, double baseline_rate);
  void draw_clients(Tick& tick, double share, double canary_rate, double baseline_rate);
  [[nodiscard]] std::int64_t errors_of(std::int64_t requests, double rate);
  [[nodiscard]] judge::LatencyCounts times_of(std::int64_t requests, const std::vector<double>& cells);

  const Scenario& scenario_;
  Sampler sampler_;
  judge::ClientCounter clients_;
  std::uint64_t client_salt_;
  std::vector<double> canary_cells_;  // probabilities
  std::vector<double> baseline_cells_;
};

}  // namespace serin::trials
