#include "serin/judge/latency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "serin/judge/dispersion.hpp"

namespace serin::judge {
namespace {

struct Quantile {
  double at;
  double tolerable_ratio;
};
constexpr std::array<Quantile, 4> quantiles = {{{0.50, 1.1}, {0.90, 1.25}, {0.95, 1.5}, {0.99, 1.5}}};
constexpr std::size_t most_learned = 7200;  // buckets that are kept to learn how slow requests clump

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
  if (!(options.tolerable_ms >= 0 && std::isfinite(options.tolerable_ms)))
    return fail(Errc::invalid_argument,
                fmt::format("judge: tolerable_ms is {}, it has to be 0 or more", options.tolerable_ms));
  if (options.past && options.past->counts.size() != options.edges_ms.size() + 1)
    return fail(Errc::invalid_argument, fmt::format("judge: the past has {} cells of latency, not {}",
                                                    options.past->counts.size(), options.edges_ms.size() + 1));
  if (options.learn_requests < 100)
    return fail(Errc::invalid_argument,
                fmt::format("judge: learn_requests is {}, it has to be at least 100", options.learn_requests));
  return {};
}

/// The first edge with at least this share of the requests at or below it; nothing when that is in the open cell, where
/// there is no edge to be slower than.
std::optional<std::size_t> edge_of(const LatencyCounts& counts, double quantile) {
  const auto all = static_cast<double>(sum(counts, 0));
  double below = 0;
  for (std::size_t edge = 0; edge + 1 < counts.size(); ++edge) {
    below += static_cast<double>(counts[edge]);
    if (below >= quantile * all) return edge;
  }
  return std::nullopt;
}

/// Two standard errors of a share.
double doubt(double share, double requests) { return 2 * std::sqrt(share * (1 - share) / requests); }

}  // namespace

double time_uniform_band(double n, double alpha) noexcept {
  if (n < 1) return 1;
  return std::min(1.0, 0.85 * std::sqrt((std::log(std::log(n) + 1) + 0.8 * std::log(1612 / alpha)) / n));
}

void LatencyLearner::add(const LatencyCounts& baseline) {
  if (baseline.size() != total_.size() || buckets_.size() >= most_learned) return;
  add_to(total_, baseline);
  buckets_.push_back(baseline);
}

std::int64_t LatencyLearner::requests() const noexcept { return sum(total_, 0); }

LatencyPast LatencyLearner::past() const {
  LatencyPast past{.counts = total_};
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    const std::optional<std::size_t> edge = edge_of(total_, quantiles[i].at);
    if (!edge) continue;
    HistoryLearner learner;
    for (const LatencyCounts& bucket : buckets_) learner.add(sum(bucket, 0), sum(bucket, *edge + 1));
    past.dispersion[i] = learner.history().dispersion;
  }
  return past;
}

LatencyJudge::LatencyJudge(LatencyOptions options, Stakes stakes)
    : options_(std::move(options)),
      stakes_(stakes),
      learner_(options_.edges_ms.size() + 1),
      canary_(options_.edges_ms.size() + 1),
      baseline_(canary_.size()) {}

Result<LatencyJudge> LatencyJudge::make(const LatencyOptions& options, const Stakes& stakes) {
  SERIN_CHECK(check(options));
  LatencyJudge judge(options, stakes);
  if (options.past && sum(options.past->counts, 0) >= options.learn_requests) judge.freeze(*options.past);
  return judge;
}

void LatencyJudge::learn(const LatencyCounts& baseline) {
  if (!frozen()) learner_.add(baseline);
}

std::optional<std::size_t> LatencyJudge::canary_edge(std::size_t baseline_edge) const noexcept {
  const auto edge =
      std::ranges::lower_bound(options_.edges_ms, options_.edges_ms[baseline_edge] + options_.tolerable_ms);
  if (edge == options_.edges_ms.end()) return std::nullopt;
  return static_cast<std::size_t>(edge - options_.edges_ms.begin());
}

void LatencyJudge::freeze(const LatencyPast& past) {
  const auto all = static_cast<double>(sum(past.counts, 0));
  below_before_.clear();
  for (std::size_t edge = 0; edge < options_.edges_ms.size(); ++edge) {
    const double beyond = static_cast<double>(sum(past.counts, edge + 1)) / all;
    below_before_.push_back(1 - std::min(1.0, beyond + doubt(beyond, all)));
  }
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    const std::optional<std::size_t> edge = edge_of(past.counts, quantiles[i].at);
    const std::optional<std::size_t> its = edge ? canary_edge(*edge) : std::nullopt;
    if (!its) continue;
    if (std::ranges::any_of(tails_, [&](const Watched& tail) { return tail.baseline_edge == *edge; })) continue;
    tails_.push_back({.quantile = quantiles[i].at,
                      .baseline_edge = *edge,
                      .canary_edge = *its,
                      .share_before = 1 - below_before_[*edge],
                      .owed = 0,
                      .total = {},
                      .mixture = Mixture({.null_ratio = quantiles[i].tolerable_ratio,
                                          .absolute = 0.0005,
                                          .dispersion = past.dispersion[i],
                                          .stakes = stakes_})});
  }
}

void LatencyJudge::add(const LatencyCounts& canary, const LatencyCounts& baseline) {
  if (canary.size() != canary_.size() || baseline.size() != baseline_.size()) return;
  const std::int64_t canary_requests = sum(canary, 0);
  // What is frozen once stays: a quantile that moved with the data would be no null.
  if (!frozen() && canary_requests > 0 && learner_.requests() >= options_.learn_requests) freeze(learner_.past());
  add_to(canary_, canary);
  add_to(baseline_, baseline);
  const std::int64_t baseline_requests = sum(baseline, 0);
  const bool unfair =
      static_cast<double>(canary_requests) > fair_share * static_cast<double>(canary_requests + baseline_requests);
  was_unfair_ = was_unfair_ || unfair;
  for (Watched& tail : tails_) {
    std::int64_t least = 0;
    if (unfair) {
      tail.owed += tail.share_before * static_cast<double>(baseline_requests);
      least = static_cast<std::int64_t>(std::ceil(tail.owed));
      tail.owed -= static_cast<double>(least);
    }
    const Bucket bucket = sane({.canary_requests = canary_requests,
                                .canary_errors = sum(canary, tail.canary_edge + 1),
                                .baseline_requests = baseline_requests,
                                .baseline_errors = std::max(least, sum(baseline, tail.baseline_edge + 1))});
    tail.total += bucket;
    tail.mixture.add(bucket);
  }
}

double LatencyJudge::log_evidence() const noexcept {
  if (tails_.empty()) return 0;
  std::array<Weighted, quantiles.size()> metrics{};
  for (std::size_t i = 0; i < tails_.size() && i < metrics.size(); ++i)
    metrics[i] = {.weight = 1.0 / static_cast<double>(tails_.size()), .log_evidence = tails_[i].mixture.log_evidence()};
  return combined(std::span(metrics).first(std::min(tails_.size(), metrics.size())));
}

double LatencyJudge::beyond(const Body& body, double alpha) const noexcept {
  return body.baseline_share - body.canary_share - options_.band_margin -
         time_uniform_band(static_cast<double>(sum(canary_, 0)), alpha / 2) -
         time_uniform_band(static_cast<double>(sum(baseline_, 0)), alpha / 2);
}

std::optional<LatencyJudge::Body> LatencyJudge::body() const {
  const auto canary = static_cast<double>(sum(canary_, 0));
  const auto baseline = static_cast<double>(sum(baseline_, 0));
  if (canary <= 0 || baseline <= 0) return std::nullopt;
  std::vector<double> canary_below;
  double so_far = 0;
  for (const std::int64_t count : canary_) canary_below.push_back((so_far += static_cast<double>(count)) / canary);
  Body most;
  so_far = 0;
  for (std::size_t edge = 0; edge < options_.edges_ms.size(); ++edge) {
    so_far += static_cast<double>(baseline_[edge]);
    const std::optional<std::size_t> its = canary_edge(edge);
    if (!its) break;
    const double before = was_unfair_ && !below_before_.empty() ? below_before_[edge] : 1;
    const Body here{.baseline_ms = options_.edges_ms[edge],
                    .canary_ms = options_.edges_ms[*its],
                    .baseline_share = std::min(so_far / baseline, before),
                    .canary_share = canary_below[*its]};
    if (here.baseline_share - here.canary_share > most.baseline_share - most.canary_share) most = here;
  }
  // The bands grow with -ln alpha: the largest at which it still is beyond them, by halving.
  double least = 0;
  double beyond_all = 2 * std::log(10.0) * 100;
  if (beyond(most, 1) <= 0) return most;
  for (int i = 0; i < 40; ++i) {
    const double middle = (least + beyond_all) / 2;
    (beyond(most, std::exp(-middle)) > 0 ? least : beyond_all) = middle;
  }
  most.log_evidence = least;
  return most;
}

std::optional<double> LatencyJudge::beyond_bands(double alpha) const {
  const std::optional<Body> most = body();
  if (!most) return std::nullopt;
  return beyond(*most, alpha);
}

std::vector<LatencyJudge::Tail> LatencyJudge::tails() const {
  std::vector<Tail> tails;
  for (const Watched& tail : tails_)
    tails.push_back({.quantile = tail.quantile,
                     .baseline_ms = options_.edges_ms[tail.baseline_edge],
                     .canary_ms = options_.edges_ms[tail.canary_edge],
                     .canary_requests = tail.total.canary_requests,
                     .canary_slower = tail.total.canary_errors,
                     .baseline_requests = tail.total.baseline_requests,
                     .baseline_slower = tail.total.baseline_errors,
                     .log_evidence = tail.mixture.log_evidence()});
  return tails;
}

std::string explain(const LatencyJudge::Tail& tail) {
  const auto percent = [](std::int64_t part, std::int64_t all) {
    return 100.0 * static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(1, all));
  };
  return fmt::format(
      "{} of {} canary requests took longer than {:g} ms ({:.1f} %), {} of {} of the baseline longer than {:g} ms "
      "({:.1f} "
      "%), its {:g}th percentile before",
      tail.canary_slower, tail.canary_requests, tail.canary_ms, percent(tail.canary_slower, tail.canary_requests),
      tail.baseline_slower, tail.baseline_requests, tail.baseline_ms,
      percent(tail.baseline_slower, tail.baseline_requests), 100 * tail.quantile);
}

std::string explain(const LatencyJudge::Body& body) {
  return fmt::format(
      "{:.1f} % of the baseline's requests took at most {:g} ms, {:.1f} % of the canary's at most {:g} ms",
      100 * body.baseline_share, body.baseline_ms, 100 * body.canary_share, body.canary_ms);
}

}  // namespace serin::judge
