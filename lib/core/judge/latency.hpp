#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/judge/dispersion.hpp"
#include "serin/judge/likelihood.hpp"
#include "serin/judge/options.hpp"

namespace serin::judge {

/// Requests by how long they took: one cell below each edge, and one above the last.
using LatencyCounts = std::vector<std::int64_t>;

/// 24 edges from 1 ms to 30 s, each 1.57 times the one before.
[[nodiscard]] std::vector<double> usual_edges_ms();
/// The cell of one request. Pure.
[[nodiscard]] std::size_t latency_cell(std::span<const double> edges_ms, double milliseconds) noexcept;

/// Half the width of a band around an empirical distribution function that holds at all times and places together with
/// probability 1 - alpha. Source: Howard, Ramdas, "Sequential estimation of quantiles with applications to A/B testing
/// and best-arm identification", Bernoulli 2022, theorem 2: 0.85 sqrt((ln ln(e n) + 0.8 ln(1612/alpha)) / n). Pure.
[[nodiscard]] double time_uniform_band(double n, double alpha) noexcept;

/// Is the canary slower than its baseline? Two tests, both to be looked at at any time:
/// - tails: the baseline's p50, p90, p95 and p99 are frozen before the canary gets traffic, and "slower than that" is
///   an error, judged beside the baseline of the same time with tolerable ratios 1.1, 1.25, 1.5, 1.5; evidence
///   averaged;
/// - body: the canary's distribution lies to the right of the baseline's by more than both bands and the margin.
/// Feed learn() at 0 %; without it the test of the tails does not run and says so. Threads: one; pure.
class LatencyJudge {
 public:
  /// Errors: invalid_argument: no edges, edges that do not grow, fields out of range.
  static Result<LatencyJudge> make(const LatencyOptions& options, const Stakes& stakes);

  /// The baseline alone, before the canary gets anything. Counts of another size than the cells are ignored.
  void learn(const LatencyCounts& baseline);
  void add(const LatencyCounts& canary, const LatencyCounts& baseline);

  /// The test of the tails has its quantiles.
  [[nodiscard]] bool frozen() const noexcept { return !tails_.empty(); }
  /// Natural log of the tails' evidence; 0 while nothing is frozen.
  [[nodiscard]] double log_evidence() const noexcept;
  /// By how much the canary's distribution lies to the right beyond bands and margin, at the edge where most; above 0:
  /// slower. Nothing without requests on a side.
  [[nodiscard]] std::optional<double> beyond_bands(double alpha) const noexcept;

  struct Tail {
    double quantile;
    double edge_ms;
  };
  /// What was frozen. Quantiles that fall into the same cell are one.
  [[nodiscard]] std::vector<Tail> tails() const;

 private:
  LatencyJudge(LatencyOptions options, Stakes stakes);
  void freeze();

  struct Watched {
    double quantile;
    std::size_t first_slow_cell;
    Mixture mixture;
  };
  LatencyOptions options_;
  Stakes stakes_;
  LatencyCounts learned_;
  std::int64_t learned_requests_ = 0;
  std::vector<LatencyCounts> learned_buckets_;
  std::vector<Watched> tails_;
  LatencyCounts canary_;
  LatencyCounts baseline_;
};

}  // namespace serin::judge
