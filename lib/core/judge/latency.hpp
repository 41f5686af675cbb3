#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/judge/likelihood.hpp"
#include "serin/judge/options.hpp"

namespace serin::judge {

/// Half the width of a band around an empirical distribution function that holds at all times and places together with
/// probability 1 - alpha. Source: Howard, Ramdas, "Sequential estimation of quantiles with applications to A/B testing
/// and best-arm identification", Bernoulli 2022, theorem 2: 0.85 sqrt((ln ln(e n) + 0.8 ln(1612/alpha)) / n). Pure.
[[nodiscard]] double time_uniform_band(double n, double alpha) noexcept;

/// Up to here both arms are loaded alike enough to be compared with each other alone.
constexpr double fair_share = 0.6;

/// Learns from a version that runs alone how long its requests take. Threads: one; pure.
class LatencyLearner {
 public:
  explicit LatencyLearner(std::size_t cells) : total_(cells) {}
  /// One bucket; of another size than the cells, or after the first 7200: ignored.
  void add(const LatencyCounts& baseline);
  [[nodiscard]] std::int64_t requests() const noexcept;
  [[nodiscard]] LatencyPast past() const;

 private:
  LatencyCounts total_;
  std::vector<LatencyCounts> buckets_;
};

/// Is the canary slower than its baseline, by more than it may be? Two tests, both to be looked at at any time:
/// - tails: the baseline's p50, p90, p95 and p99 are frozen before the canary gets traffic, and "slower than that" is
///   an error, judged beside the baseline of the same time with tolerable ratios 1.1, 1.25, 1.5, 1.5; evidence
///   averaged;
/// - body: the canary's distribution lies to the right of the baseline's by more than both bands and the margin.
/// In both, the canary's edge is the first one at least `tolerable_ms` above the baseline's. And a baseline that is
/// hardly used any more is fast because of that: where the canary has more than `fair_share` of the requests, the
/// baseline never counts as faster than it was when it had everything. That only takes evidence away, so what is proved
/// stays proved.
/// Without a past, learned before or at 0 %, the test of the tails does not run and says so. Threads: one; pure.
class LatencyJudge {
 public:
  /// Errors: invalid_argument: no edges, edges that do not grow, fields out of range, a past of other cells.
  static Result<LatencyJudge> make(const LatencyOptions& options, const Stakes& stakes);

  /// The baseline alone, before the canary gets anything; ignored where there is a past already.
  void learn(const LatencyCounts& baseline);
  /// Counts of another size than the cells are ignored.
  void add(const LatencyCounts& canary, const LatencyCounts& baseline);

  /// The test of the tails has its quantiles.
  [[nodiscard]] bool frozen() const noexcept { return !tails_.empty(); }
  /// Natural log of the tails' evidence; 0 while nothing is frozen.
  [[nodiscard]] double log_evidence() const noexcept;

  /// One quantile and what both arms had beyond it so far.
  struct Tail {
    double quantile = 0;
    double baseline_ms = 0;  ///< the edge that was frozen
    double canary_ms = 0;    ///< the canary's, with what it may take longer
    std::int64_t canary_requests = 0;
    std::int64_t canary_slower = 0;
    std::int64_t baseline_requests = 0;
    std::int64_t baseline_slower = 0;  ///< where its load was no fair one, at least as many as in the past
    double log_evidence = 0;
  };
  /// What was frozen. Quantiles that fall into the same cell are one.
  [[nodiscard]] std::vector<Tail> tails() const;

  /// Where the canary's distribution lies farthest to the right of the baseline's.
  struct Body {
    double baseline_ms = 0;
    double canary_ms = 0;
    double baseline_share = 0;  ///< of the baseline's requests that took at most `baseline_ms`
    double canary_share = 0;    ///< of the canary's that took at most `canary_ms`
    double log_evidence = 0;    ///< -ln of the least alpha at which that is beyond bands and margin
  };
  /// Nothing without requests on a side.
  [[nodiscard]] std::optional<Body> body() const;
  /// By how much it is beyond bands and margin; above 0: slower. Nothing without requests on a side.
  [[nodiscard]] std::optional<double> beyond_bands(double alpha) const;

 private:
  LatencyJudge(LatencyOptions options, Stakes stakes);
  void freeze(const LatencyPast& past);
  [[nodiscard]] std::optional<std::size_t> canary_edge(std::size_t baseline_edge) const noexcept;
  [[nodiscard]] double beyond(const Body& body, double alpha) const noexcept;

  struct Watched {
    double quantile;
    std::size_t baseline_edge;
    std::size_t canary_edge;
    double share_before;  // of requests beyond the edge in the past, at most
    double owed;          // requests that the past would have had beyond it, and the baseline was not counted
    Bucket total;
    Mixture mixture;
  };
  LatencyOptions options_;
  Stakes stakes_;
  LatencyLearner learner_;
  std::vector<double> below_before_;  // by edge, the past's distribution, at most; empty: no past
  std::vector<Watched> tails_;
  LatencyCounts canary_;
  LatencyCounts baseline_;
  bool was_unfair_ = false;  // the canary had more than a fair share
};

/// "40 of 320 canary requests took longer than 119 ms (12.5 %), ...". Pure.
[[nodiscard]] std::string explain(const LatencyJudge::Tail& tail);
[[nodiscard]] std::string explain(const LatencyJudge::Body& body);

}  // namespace serin::judge
