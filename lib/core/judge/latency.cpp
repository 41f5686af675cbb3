#include "serin/judge/latency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace serin::judge {
namespace {

struct Quantile {
  double at;
  double tolerable_ratio;
};
constexpr std::array<Quantile, 4> quantiles = {{{0.50, 1.1}, {0.90, 1.25}, {0.95, 1.5}, {0.99, 1.5}}};
constexpr std::size_t most_learned = 3600;  // buckets that are kept to learn how slow requests clump

std::int64_t sum(const LatencyCounts& counts, std::size_t from) {
  return std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(std::min(from, counts.size())), counts.end(),
                         std::int64_t{0});
}

void add_to(LatencyCounts& total, const LatencyCounts& counts) {
  for (std::size_t i = 0; i < total.size(); ++i) total[i] += std::max<std::int64_t>(0, counts[i]);
}

Status check(const LatencyOptions& options) {
  if (options.edges_ms.empty()) return fail(Errc::invalid_argument, "judge: latency needs at least one edge");
  double before = 0;
  for (const double edge : options.edges_ms) {
    if (!(edge > before) || !std::isfinite(edge))
      return fail(Errc::invalid_argument, fmt::format("judge: latency edges have to grow from above 0, but {} comes "
                                                      "after {}",
                                                      edge, before));
    before = edge;
  }
  if (!(options.band_margin >= 0 && options.band_margin <= 1))
    return fail(Errc::invalid_argument,
                fmt::format("judge: band_margin is {}, it has to be from 0 to 1", options.band_margin));
  if (options.learn_requests < 100)
    return fail(Errc::invalid_argument,
                fmt::format("judge: learn_requests is {}, it has to be at least 100", options.learn_requests));
  return {};
}

}  // namespace

std::vector<double> usual_edges_ms() {
  std::vector<double> edges;
  for (int i = 0; i < 24; ++i) edges.push_back(std::pow(30'000.0, i / 23.0));
  return edges;
}

std::size_t latency_cell(std::span<const double> edges_ms, double milliseconds) noexcept {
  return static_cast<std::size_t>(std::ranges::lower_bound(edges_ms, milliseconds) - edges_ms.begin());
}

double time_uniform_band(double n, double alpha) noexcept {
  if (n < 1) return 1;
  return std::min(1.0, 0.85 * std::sqrt((std::log(std::log(n) + 1) + 0.8 * std::log(1612 / alpha)) / n));
}

LatencyJudge::LatencyJudge(LatencyOptions options, Stakes stakes)
    : options_(std::move(options)),
      stakes_(stakes),
      learned_(options_.edges_ms.size() + 1),
      canary_(learned_.size()),
      baseline_(learned_.size()) {}

Result<LatencyJudge> LatencyJudge::make(const LatencyOptions& options, const Stakes& stakes) {
  SERIN_CHECK(check(options));
  return LatencyJudge(options, stakes);
}

void LatencyJudge::learn(const LatencyCounts& baseline) {
  if (baseline.size() != learned_.size() || frozen() || learned_buckets_.size() >= most_learned) return;
  add_to(learned_, baseline);
  learned_requests_ = sum(learned_, 0);
  learned_buckets_.push_back(baseline);
}

void LatencyJudge::freeze() {
  const auto all = static_cast<double>(learned_requests_);
  for (const Quantile& quantile : quantiles) {
    // The first edge with at least this share at or below it.
    double below = 0;
    std::size_t cell = 0;
    while (cell < options_.edges_ms.size()) {
      below += static_cast<double>(learned_[cell]);
      if (below >= quantile.at * all) break;
      ++cell;
    }
    if (cell >= options_.edges_ms.size()) continue;  // in the open cell there is no edge to be slower than
    const std::size_t first_slow = cell + 1;
    if (std::ranges::any_of(tails_, [&](const Watched& tail) { return tail.first_slow_cell == first_slow; })) continue;
    HistoryLearner learner;
    for (const LatencyCounts& bucket : learned_buckets_) learner.add(sum(bucket, 0), sum(bucket, first_slow));
    tails_.push_back({.quantile = quantile.at,
                      .first_slow_cell = first_slow,
                      .mixture = Mixture({.null_ratio = quantile.tolerable_ratio,
                                          .absolute = 0.0005,
                                          .dispersion = learner.history().dispersion,
                                          .stakes = stakes_})});
  }
  learned_buckets_.clear();
}

void LatencyJudge::add(const LatencyCounts& canary, const LatencyCounts& baseline) {
  if (canary.size() != canary_.size() || baseline.size() != baseline_.size()) return;
  const std::int64_t canary_requests = sum(canary, 0);
  // What is frozen once stays: a quantile that moved with the data would be no null.
  if (!frozen() && canary_requests > 0 && learned_requests_ >= options_.learn_requests) freeze();
  add_to(canary_, canary);
  add_to(baseline_, baseline);
  const std::int64_t baseline_requests = sum(baseline, 0);
  for (Watched& tail : tails_)
    tail.mixture.add(sane({.canary_requests = canary_requests,
                           .canary_errors = sum(canary, tail.first_slow_cell),
                           .baseline_requests = baseline_requests,
                           .baseline_errors = sum(baseline, tail.first_slow_cell)}));
}

double LatencyJudge::log_evidence() const noexcept {
  if (tails_.empty()) return 0;
  std::array<Weighted, quantiles.size()> metrics{};
  for (std::size_t i = 0; i < tails_.size() && i < metrics.size(); ++i)
    metrics[i] = {.weight = 1.0 / static_cast<double>(tails_.size()), .log_evidence = tails_[i].mixture.log_evidence()};
  return combined(std::span(metrics).first(std::min(tails_.size(), metrics.size())));
}

std::optional<double> LatencyJudge::beyond_bands(double alpha) const noexcept {
  const auto canary = static_cast<double>(sum(canary_, 0));
  const auto baseline = static_cast<double>(sum(baseline_, 0));
  if (canary <= 0 || baseline <= 0) return std::nullopt;
  double difference = 0;
  double canary_below = 0;
  double baseline_below = 0;
  for (std::size_t i = 0; i < options_.edges_ms.size(); ++i) {
    canary_below += static_cast<double>(canary_[i]);
    baseline_below += static_cast<double>(baseline_[i]);
    difference = std::max(difference, baseline_below / baseline - canary_below / canary);
  }
  return difference - options_.band_margin - time_uniform_band(canary, alpha / 2) -
         time_uniform_band(baseline, alpha / 2);
}

std::vector<LatencyJudge::Tail> LatencyJudge::tails() const {
  std::vector<Tail> tails;
  for (const Watched& tail : tails_)
    tails.push_back({.quantile = tail.quantile, .edge_ms = options_.edges_ms[tail.first_slow_cell - 1]});
  return tails;
}

}  // namespace serin::judge
