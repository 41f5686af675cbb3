#include "edges.hpp"

#include <algorithm>

#include "serin/base/error.hpp"

namespace serin::fleet {

void Tendency::add(std::int64_t day, const std::string& season, double deviation, double carry) {
  if (points_.empty() || points_.back().day != day) {
    SERIN_ASSERT(points_.empty() || points_.back().day < day);
    points_.push_back({.day = day, .season = season, .state = before(day, season, carry)});
  }
  points_.back().state.games += 1;
  points_.back().state.sum += deviation;
}

Tendency::State Tendency::before(std::int64_t day, const std::string& season, double carry) const {
  const auto after = std::ranges::lower_bound(points_, day, {}, &Point::day);
  if (after == points_.begin()) return {};
  const Point& last = *std::prev(after);
  if (last.season == season) return last.state;
  return {.games = last.state.games * carry, .sum = last.state.sum * carry};
}

void Edges::add(const std::string& key, std::int64_t day, const std::string& season, double deviation) {
  tendencies_[key].add(day, season, deviation, options_.carry);
}

double Edges::before(const std::string& key, std::int64_t day, const std::string& season) const {
  const auto at = tendencies_.find(key);
  if (at == tendencies_.end()) return 0;
  const auto state = at->second.before(day, season, options_.carry);
  return state.sum / (state.games + options_.weight);
}

double Edges::games_before(const std::string& key, std::int64_t day, const std::string& season) const {
  const auto at = tendencies_.find(key);
  return at == tendencies_.end() ? 0 : at->second.before(day, season, options_.carry).games;
}

}  // namespace serin::fleet
