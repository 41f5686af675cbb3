#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/judge/dispersion.hpp"

namespace serin::judge {

/// How much worse than the baseline's error rate p is still meant: p_canary <= ratio * p + absolute.
struct Margin {
  double ratio = 1.25;       ///< >= 1
  double absolute = 0.0005;  ///< share of requests, 0 to 1; needed where p is near 0
};

/// What the error judge is allowed to get wrong, and what it has to tell apart.
struct ErrorJudgeOptions {
  double alpha = 0.01;             ///< chance to ever call a tolerable canary worse; 0 < alpha < 1
  double beta = 0.05;              ///< chance to ever call a canary beyond `healthy` healthy; 0 < beta < 1
  Margin tolerable{1.25, 0.0005};  ///< up to here a canary is not worse
  Margin healthy{2.0, 0.001};      ///< a canary proved to be below this is healthy; not below `tolerable`
  double dispersion = 1.0;         ///< >= 1; how much errors clump (learned at 0 %); every increment is divided by it
  std::int64_t min_canary_errors = 5;  ///< no statistical "worse" before so many canary errors; >= 1
  std::int64_t planned_buckets = 900;  ///< over how many buckets late onsets are looked for; >= 1
  std::int64_t restart_every = 30;     ///< one restart of the evidence each so many buckets; >= 1
};

/// Requests by how long they took: one cell for each edge, which is the most that it holds, and one above the last.
using LatencyCounts = std::vector<std::int64_t>;

/// How long the old version's requests took while it had everything.
struct LatencyPast {
  LatencyCounts counts;
  std::array<double, 4> dispersion{1, 1, 1, 1};  ///< >= 1: how those beyond its p50, p90, p95 and p99 clump
  friend bool operator==(const LatencyPast&, const LatencyPast&) = default;
};

/// Latency as counts of requests between fixed edges.
struct LatencyOptions {
  std::vector<double> edges_ms;       ///< growing, > 0; the last cell is open
  std::optional<LatencyPast> past;    ///< from before; nothing: it is learned at 0 %, as far as there is such a time
  double tolerable_ms = 5;            ///< every request may take so much longer, >= 0; rounded up to the next edge
  double band_margin = 0.02;          ///< difference of the distributions that is tolerable, 0 to 1
  std::int64_t learn_requests = 500;  ///< of the baseline alone, before its quantiles are frozen; >= 100
};

/// What CanaryJudge is made of.
struct CanaryJudgeOptions {
  ErrorJudgeOptions errors;         ///< its alpha is for everything together
  std::optional<History> history;   ///< of the old version before; nothing: only the baseline of the same time counts
  Margin against_past{2.0, 0.001};  ///< how much worse than in the past is still meant: daily drift is
  std::int64_t attribution_wait = 60;   ///< buckets, >= 0: how long a verdict waits for its attribution
  std::int64_t min_failed_clients = 2;  ///< no statistical "worse" by errors of fewer clients, where they are known
  std::optional<LatencyOptions> latency;
};

}  // namespace serin::judge
