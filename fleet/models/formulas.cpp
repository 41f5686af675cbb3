#include "formulas.hpp"

#include <algorithm>
#include <cmath>

#include "serin/fleet_models/model_set.hpp"

namespace serin::fleet {
namespace {

/// Mean of the newest `most` games; 0 games give `otherwise`.
double mean_of_last(const Features& f, std::size_t most, double otherwise) {
  double sum = 0;
  const std::size_t count = std::min(most, f.recent.size());
  for (std::size_t i = 0; i < count; ++i) sum += f.recent[i].value;
  return count > 0 ? sum / static_cast<double>(count) : otherwise;
}

/// What is known of the player over the long run: his seasons, the last one counting most.
double long_term_mean(const Features& f, double league) {
  const double own = f.career_games > 0 ? f.career_mean : f.league_mean;
  return (1 - league) * own + league * f.league_mean;
}

double home_part(const Features& f, double share) { return share * f.league_home_edge * (f.home ? 0.5 : -0.5); }

/// A mean whose weights halve every `half_life` games.
class DecayingMean {
 public:
  explicit DecayingMean(double half_life) : step_(std::exp2(-1 / half_life)) {}
  void add(double value, double weight) {
    sum_ += decay_ * weight * value;
    weight_ += decay_ * weight;
    decay_ *= step_;
  }
  void mix(double value, double games) {
    sum_ += games * value;
    weight_ += games;
  }
  [[nodiscard]] double mean(double otherwise) const { return weight_ > 0 ? sum_ / weight_ : otherwise; }

 private:
  double step_;
  double decay_ = 1;
  double sum_ = 0;
  double weight_ = 0;
};

}  // namespace

double moving_average(const Features& f, const MovingAverageParameters& p) {
  const double season = naive_baseline(f).value_or(f.career_mean);
  const double weights = p.last_5 + p.last_10 + p.season;
  const double means =
      (p.last_5 * mean_of_last(f, 5, season) + p.last_10 * mean_of_last(f, 10, season) + p.season * season) / weights;
  const double games = static_cast<double>(std::min<std::size_t>(10, f.recent.size()));
  const double level = (games * means + p.shrink_games * long_term_mean(f, 0.5)) / (games + p.shrink_games);
  return level + home_part(f, p.home) + p.opponent * f.opponent_edge - (f.rest_days <= 1 ? p.tired : 0);
}

double opponent_adjusted(const Features& f, const OpponentAdjustedParameters& p) {
  DecayingMean value(p.half_life);
  DecayingMean rate(p.rate_half_life);
  DecayingMean minutes(p.minutes_half_life);
  for (const PastGame& game : f.recent) {
    const double weight = game.same_season ? 1 : p.other_season;
    const double freed = game.value - p.opponent * game.opponent - p.park * game.park -
                         p.home * f.league_home_edge * (game.home ? 0.5 : -0.5);
    value.add(freed, weight);
    if (game.minutes > 0) rate.add(freed / game.minutes, weight * game.minutes);
    minutes.add(game.minutes, weight);
  }
  const double usual = long_term_mean(f, p.league);
  value.mix(usual, p.shrink_games);
  double level = value.mean(usual);
  if (p.by_minutes > 0) {
    minutes.mix(f.season_games > 0 ? f.season_minutes : f.career_minutes, 1);
    const double by_minutes = rate.mean(0) * minutes.mean(f.career_minutes);
    level = (1 - p.by_minutes) * level + p.by_minutes * by_minutes;
  }
  return level + home_part(f, p.home) + p.opponent * f.opponent_edge + p.team * f.team_edge + p.park * f.park_edge;
}

double similarity(const Features& f, const SimilarityParameters& p) {
  const double season = naive_baseline(f).value_or(f.career_mean);
  double sum = p.shrink_games * season;
  double weights = p.shrink_games;
  double age = 0;
  for (const PastGame& game : f.recent) {
    const double distance = age / p.age + (game.home != f.home ? p.home : 0) +
                            p.rest * std::abs(game.rest_days - f.rest_days) +
                            p.opponent * std::abs(game.opponent - f.opponent_edge);
    const double weight = std::exp(-distance);
    sum += weight * game.value;
    weights += weight;
    age += game.same_season ? 1 : 2;
  }
  return weights > 0 ? sum / weights : season;
}

double spread_of(const Features& f) {
  constexpr double least = 0.5;
  if (f.recent.size() < 2) return std::max(least, f.league_mean / 2);
  const double mean = mean_of_last(f, f.recent.size(), 0);
  double squares = 0;
  for (const PastGame& game : f.recent) squares += (game.value - mean) * (game.value - mean);
  return std::max(least, std::sqrt(squares / static_cast<double>(f.recent.size() - 1)));
}

}  // namespace serin::fleet
