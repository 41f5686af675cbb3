#include "serin/haproxy/weights.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace serin::haproxy {
namespace {

constexpr int most = 256;

struct Group {
  double percent = 0;
  int members = 0;  // that the share is divided among
};

/// Largest distance of a release's share from what was asked, in percent, when the largest weight is `top`.
double worst_error(const std::map<std::string_view, Group>& groups, double largest, int top,
                   std::map<std::string_view, int>& weights) {
  double sum = 0;
  for (const auto& [release, group] : groups) {
    if (group.percent <= 0 || group.members == 0) continue;
    const double ideal = group.percent / group.members / largest * top;
    weights[release] = std::max(1, static_cast<int>(std::lround(ideal)));
    sum += static_cast<double>(weights[release]) * group.members;
  }
  double worst = 0;
  for (const auto& [release, group] : groups)
    if (group.percent > 0 && group.members > 0)
      worst = std::max(worst, std::abs(group.percent - 100.0 * weights[release] * group.members / sum));
  return worst;
}

}  // namespace

std::string_view release_of(std::string_view server) noexcept {
  const std::size_t dash = server.rfind('-');
  return dash == std::string_view::npos ? std::string_view() : server.substr(0, dash);
}

std::vector<Weight> plan_weights(const Split& split, const std::vector<Server>& servers) {
  std::map<std::string_view, Group> groups;
  for (const Share& share : split) groups[share.release.str()].percent = share.percent;
  std::map<std::string_view, bool> alive;
  for (const Server& server : servers) alive[release_of(server.name)] |= server.in_rotation;
  const auto carries = [&](const Server& server) {
    const std::string_view release = release_of(server.name);
    return server.in_rotation || !alive[release];
  };
  for (const Server& server : servers)
    if (carries(server)) ++groups[release_of(server.name)].members;

  double largest = 0;
  for (const auto& [release, group] : groups)
    if (group.members > 0) largest = std::max(largest, group.percent / group.members);
  std::map<std::string_view, int> best;
  if (largest > 0) {
    double least = 1000;
    for (int top = 1; top <= most; ++top) {
      std::map<std::string_view, int> weights;
      const double error = worst_error(groups, largest, top, weights);
      if (error < least - 1e-9) {  // the smallest numbers that do it
        least = error;
        best = std::move(weights);
      }
    }
  }
  std::vector<Weight> result;
  for (const Server& server : servers) {
    const auto found = best.find(release_of(server.name));
    result.push_back({server.name, found != best.end() && carries(server) ? found->second : 0});
  }
  return result;
}

Split split_of(const std::vector<Server>& servers) {
  std::map<std::string_view, double> weights;
  double sum = 0;
  for (const Server& server : servers) {
    weights[release_of(server.name)] += server.weight;
    sum += server.weight;
  }
  Split split;
  for (const auto& [release, weight] : weights) {
    Result<ReleaseName> name = ReleaseName::make(release);
    if (name) split.push_back({*std::move(name), sum > 0 ? 100 * weight / sum : 0});
  }
  return split;
}

}  // namespace serin::haproxy
