#include "serin/trials/traffic.hpp"

#include <algorithm>
#include <cmath>

#include "serin/judge/special.hpp"
#include "serin/ports/latency.hpp"

namespace serin::trials {
namespace {

/// Probability of each cell under a mixture of two lognormals.
std::vector<double> cells_of(const Times& times, double slower, double stalled) {
  const auto below = [&](double ms) {
    const auto part = [&](double factor) {
      return judge::normal_cdf(std::log(ms / (times.median_ms * slower * factor)) / times.spread);
    };
    return (1 - stalled) * part(1) + stalled * part(times.stall_times);
  };
  std::vector<double> cells;
  double last = 0;
  for (const double edge : latency_edges_ms()) {
    const double now = below(edge);
    cells.push_back(now - last);
    last = now;
  }
  cells.push_back(1 - last);
  return cells;
}

std::uint64_t mixed(std::uint64_t value, std::uint64_t salt) {
  std::uint64_t state = value * 0x9E3779B97F4A7C15ULL ^ salt;
  return split_mix(state);
}

double part_of(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

}  // namespace

TrafficOfPlay::TrafficOfPlay(const Scenario& scenario, std::uint64_t seed)
    : scenario_(scenario), sampler_(seed), client_salt_(sampler_.bits()) {
  if (!scenario.latency) return;
  canary_cells_ = cells_of(*scenario.latency, scenario.latency->slower, scenario.latency->stalled);
  baseline_cells_ = cells_of(*scenario.latency, 1, 0);
}

Tick TrafficOfPlay::before(std::int64_t second, std::int64_t seconds) {
  Tick tick{.second = second, .seconds = seconds};
  if (scenario_.clients)
    draw_clients(tick, 0, 0, scenario_.errors);
  else
    draw_counts(tick, 0, 0, scenario_.errors);
  if (!baseline_cells_.empty()) tick.baseline_times = times_of(tick.requests.baseline_requests, baseline_cells_);
  return tick;
}

Tick TrafficOfPlay::next(std::int64_t second, std::int64_t seconds, double percent) {
  Tick tick{.second = second, .seconds = seconds};
  const double canary = scenario_.canary_rate(second);
  const double baseline = scenario_.baseline_rate(second);
  if (scenario_.clients)
    draw_clients(tick, percent / 100, canary, baseline);
  else
    draw_counts(tick, percent / 100, canary, baseline);
  if (!baseline_cells_.empty()) {
    tick.canary_times = times_of(tick.requests.canary_requests, canary_cells_);
    tick.baseline_times = times_of(tick.requests.baseline_requests, baseline_cells_);
  }
  return tick;
}

std::int64_t TrafficOfPlay::errors_of(std::int64_t requests, double rate) {
  if (scenario_.burst <= 1) return sampler_.binomial(requests, rate);
  std::int64_t errors = 0;
  for (std::int64_t left = sampler_.poisson(static_cast<double>(requests) * rate / scenario_.burst); left > 0; --left)
    errors += sampler_.geometric(scenario_.burst);
  return std::min(errors, requests);
}

// Independent Poisson counts are the same as one Poisson count whose requests are given out by a throw of dice.
void TrafficOfPlay::draw_counts(Tick& tick, double share, double canary_rate, double baseline_rate) {
  const double mean = scenario_.rate * static_cast<double>(tick.seconds);
  tick.requests.canary_requests = sampler_.poisson(mean * share);
  tick.requests.baseline_requests = sampler_.poisson(mean * (1 - share));
  tick.requests.canary_errors = errors_of(tick.requests.canary_requests, canary_rate);
  tick.requests.baseline_errors = errors_of(tick.requests.baseline_requests, baseline_rate);
}

void TrafficOfPlay::draw_clients(Tick& tick, double share, double canary_rate, double baseline_rate) {
  const auto count = static_cast<std::uint64_t>(scenario_.clients->count);
  for (std::int64_t left = sampler_.poisson(scenario_.rate * static_cast<double>(tick.seconds)); left > 0; --left) {
    const std::uint64_t client = sampler_.bits() % count;
    // Which version a client has, and whether it is broken, is its own and stays.
    const bool canary = part_of(mixed(client, client_salt_)) < share;
    const bool broken = part_of(mixed(client, ~client_salt_)) < scenario_.clients->broken;
    const bool failed = broken || sampler_.unit() < (canary ? canary_rate : baseline_rate);
    (canary ? tick.requests.canary_requests : tick.requests.baseline_requests) += 1;
    (canary ? tick.requests.canary_errors : tick.requests.baseline_errors) += failed ? 1 : 0;
    clients_.add(client, canary ? judge::Arm::canary : judge::Arm::baseline, failed);
  }
  tick.clients = clients_.close();
  tick.failed_clients = clients_.failed_clients();
}

judge::LatencyCounts TrafficOfPlay::times_of(std::int64_t requests, const std::vector<double>& cells) {
  judge::LatencyCounts counts(cells.size());
  double left_share = 1;
  for (std::size_t i = 0; i < cells.size() && requests > 0; ++i) {
    const bool last = i + 1 == cells.size() || cells[i] >= left_share;
    counts[i] = last ? requests : sampler_.binomial(requests, cells[i] / left_share);
    requests -= counts[i];
    left_share -= cells[i];
  }
  return counts;
}

}  // namespace serin::trials
