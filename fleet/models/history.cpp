#include "serin/fleet_models/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <unordered_map>

#include "edges.hpp"
#include "grid.hpp"
#include "serin/base/text.hpp"
#include "serin/base/time.hpp"

namespace serin::fleet {
namespace {

constexpr std::size_t recent_most = 40;
constexpr int rest_most = 10;
constexpr std::int64_t window_days = 30;

/// How tendencies are estimated in a sport. Chosen on the earlier seasons only (docs/guide/models.md).
struct Estimation {
  std::size_t usual_games;  // the player's "usual" is the mean of so many games ...
  double usual_weight;      // ... shrunk towards the league's mean as if so many average games were among them
  EdgeOptions opponent;
  EdgeOptions team;
  EdgeOptions park;
  double games_a_player;  // share of the team's games that a healthy player plays: a starter pitches every fifth
};
constexpr Estimation nba_estimation{.usual_games = 15,
                                    .usual_weight = 1,
                                    .opponent = {.weight = 200, .carry = 0.3},
                                    .team = {.weight = 200, .carry = 0.3},
                                    .park = {.weight = 400, .carry = 0.5},
                                    .games_a_player = 1};
constexpr Estimation mlb_estimation{.usual_games = 30,
                                    .usual_weight = 8,
                                    .opponent = {.weight = 40, .carry = 0.3},
                                    .team = {.weight = 30, .carry = 0.3},
                                    .park = {.weight = 60, .carry = 0.7},
                                    .games_a_player = 0.2};

/// One game with what was known about its surroundings before it.
struct Played {
  std::size_t game = 0;   // in Impl::games
  double sum_before = 0;  // of the player's values and minutes, all games before this one
  double minutes_before = 0;
  int rest_days = rest_most;
  double opponent = 0;
  double park = 0;
};

int rest_between(std::int64_t earlier, std::int64_t later) {
  return static_cast<int>(std::clamp<std::int64_t>(later - earlier, 0, rest_most));
}

const std::string& park_of(const auto& game) { return game.home ? game.team : game.opponent; }

}  // namespace

std::vector<Appearance> appearances(const std::vector<PlayerGame>& rows) {
  std::vector<Appearance> games;
  games.reserve(rows.size());
  for (const auto& row : rows) {
    if (!row.played()) continue;
    games.push_back({row.player_id, row.game_id, row.date, row.season, row.team, row.opponent, row.home, row.minutes,
                     row.field_goals_tried + 0.44 * row.free_throws_tried, static_cast<double>(row.points)});
  }
  return games;
}

std::vector<Appearance> appearances(const std::vector<PitcherGame>& rows) {
  std::vector<Appearance> games;
  games.reserve(rows.size());
  for (const auto& row : rows)
    games.push_back({row.pitcher_id, row.game_id, row.date, row.season, row.team, row.opponent, row.home,
                     row.outs / 3.0, 0, static_cast<double>(row.strikeouts)});
  return games;
}

struct History::Impl {
  Sport sport;
  const Estimation& how;
  std::vector<Appearance> games;  // by date, game, player
  std::unordered_map<std::string, std::vector<Played>> players;
  std::unordered_map<std::string, std::vector<std::int64_t>> team_days;  // one entry a game
  Tendency league;
  Tendency at_home;
  Tendency away;
  Edges opponents;
  Edges teams;
  Edges parks;

  Impl(Sport of, std::vector<Appearance> all)
      : sport(of),
        how(of == Sport::nba ? nba_estimation : mlb_estimation),
        games(std::move(all)),
        opponents(how.opponent),
        teams(how.team),
        parks(how.park) {
    std::ranges::sort(games, {}, [](const Appearance& g) { return std::tie(g.date, g.game_id, g.player_id); });
    for (std::size_t begin = 0; begin < games.size();) {
      std::size_t end = begin;
      while (end < games.size() && games[end].date == games[begin].date) ++end;
      add_day(begin, end);
      begin = end;
    }
  }

  static constexpr double league_carry = 0.1;
  static constexpr double home_weight = 300;

  [[nodiscard]] double league_mean(std::int64_t day, const std::string& season) const {
    const auto state = league.before(day, season, league_carry);
    return state.games > 0 ? state.sum / state.games : 0;
  }

  /// Two passes, so that games of one day know nothing of each other.
  void add_day(std::size_t begin, std::size_t end) {
    std::vector<double> usual(end - begin);
    for (std::size_t i = begin; i < end; ++i) usual[i - begin] = add_game(i);
    std::set<std::pair<std::string, std::string>> counted;
    for (std::size_t i = begin; i < end; ++i) {
      const auto& game = games[i];
      const double mean = league_mean(game.date, game.season);
      const double deviation = game.value - usual[i - begin];
      opponents.add(game.opponent, game.date, game.season, deviation);
      parks.add(park_of(game), game.date, game.season, deviation);
      teams.add(game.team, game.date, game.season, mean > 0 ? game.value - mean : 0);
      (game.home ? at_home : away).add(game.date, game.season, deviation, 1.0);
      if (counted.emplace(game.team, game.game_id).second) team_days[game.team].push_back(game.date);
    }
    for (std::size_t i = begin; i < end; ++i) league.add(games[i].date, games[i].season, games[i].value, league_carry);
  }

  /// Returns what the player usually does, as known before the game.
  double add_game(std::size_t index) {
    const auto& game = games[index];
    auto& past = players[game.player_id];
    Played played{.game = index};
    double usual = game.value;  // nothing known: no deviation
    if (!past.empty()) {
      const auto& last = games[past.back().game];
      played.sum_before = past.back().sum_before + last.value;
      played.minutes_before = past.back().minutes_before + last.minutes;
      played.rest_days = rest_between(last.date, game.date);
      const std::size_t count = std::min(past.size(), how.usual_games);
      const double sum = played.sum_before - past[past.size() - count].sum_before;
      usual = (sum + how.usual_weight * league_mean(game.date, game.season)) /
              (static_cast<double>(count) + how.usual_weight);
    }
    played.opponent = opponents.before(game.opponent, game.date, game.season);
    played.park = parks.before(park_of(game), game.date, game.season);
    past.push_back(played);
    return usual;
  }

  [[nodiscard]] double home_edge(std::int64_t day, const std::string& season) const {
    const auto home = at_home.before(day, season, 1.0);
    const auto road = away.before(day, season, 1.0);
    if (home.games == 0 || road.games == 0) return 0;
    const double games_seen = home.games + road.games;
    return (home.sum / home.games - road.sum / road.games) * games_seen / (games_seen + home_weight);
  }

  void add_means(Features& f, const std::vector<Played>& past, std::size_t count) const;
  void add_recent(Features& f, const std::vector<Played>& past, std::size_t count) const;
  void add_quality(Features& f, const std::vector<Played>& past, std::size_t count) const;
};

void History::Impl::add_means(Features& f, const std::vector<Played>& past, std::size_t count) const {
  double season_sum = 0;
  double season_minutes = 0;
  double prior_sum = 0;
  std::string prior_season;
  for (std::size_t i = count; i-- > 0;) {
    const auto& game = games[past[i].game];
    if (game.season == f.season) {
      ++f.season_games;
      season_sum += game.value;
      season_minutes += game.minutes;
    } else if (prior_season.empty() || game.season == prior_season) {
      prior_season = game.season;
      ++f.prior_games;
      prior_sum += game.value;
    } else {
      break;
    }
  }
  const auto mean = [](double sum, int n) { return n > 0 ? on_grid(sum / n) : 0; };
  f.season_mean = mean(season_sum, f.season_games);
  f.season_minutes = mean(season_minutes, f.season_games);
  f.prior_mean = mean(prior_sum, f.prior_games);
  const auto& last = past[count - 1];
  f.career_games = static_cast<int>(count);
  f.career_mean = mean(last.sum_before + games[last.game].value, f.career_games);
  f.career_minutes = mean(last.minutes_before + games[last.game].minutes, f.career_games);
}

void History::Impl::add_recent(Features& f, const std::vector<Played>& past, std::size_t count) const {
  for (std::size_t i = count; i-- > 0 && f.recent.size() < recent_most;) {
    const auto& played = past[i];
    const auto& game = games[played.game];
    f.recent.push_back({.date = game.date,
                        .same_season = game.season == f.season,
                        .home = game.home,
                        .rest_days = played.rest_days,
                        .minutes = on_grid(game.minutes),
                        .volume = on_grid(game.volume),
                        .value = on_grid(game.value),
                        .opponent = on_grid(played.opponent),
                        .park = on_grid(played.park)});
  }
}

void History::Impl::add_quality(Features& f, const std::vector<Played>& past, std::size_t count) const {
  const std::int64_t from = f.date - window_days;
  if (const auto at = team_days.find(f.team); at != team_days.end()) {
    const auto first = std::ranges::lower_bound(at->second, from);
    const auto last = std::ranges::lower_bound(at->second, f.date);
    f.expected_games = static_cast<int>(std::lround(static_cast<double>(last - first) * how.games_a_player));
  }
  for (std::size_t i = count; i > 0 && games[past[i - 1].game].date >= from; --i) ++f.actual_games;

  // Six inputs: a season, five and ten games, this month's games, and something known about both sides.
  const double both_sides = (opponents.games_before(f.opponent, f.date, f.season) >= 5 ? 1 : 0) +
                            (teams.games_before(f.team, f.date, f.season) >= 5 ? 1 : 0);
  const double month = f.expected_games == 0 ? (f.actual_games > 0 ? 1 : 0)
                                             : std::min(1.0, static_cast<double>(f.actual_games) / f.expected_games);
  const double there = (f.season_games > 0 ? 1 : 0) + (f.career_games >= 5 ? 1 : 0) + (f.career_games >= 10 ? 1 : 0) +
                       month + both_sides;
  f.completeness = on_grid(there / 6);
  const double depth = std::min(1.0, f.career_games / 10.0);
  f.quality = on_grid(100 * (0.5 * f.completeness + 0.3 * depth + 0.2 * month));
}

History::History(Sport sport, std::vector<Appearance> games)
    : impl_(std::make_unique<const Impl>(sport, std::move(games))) {}
History::~History() = default;
History::History(History&&) noexcept = default;
History& History::operator=(History&&) noexcept = default;

const std::vector<Appearance>& History::games() const noexcept { return impl_->games; }
Sport History::sport() const noexcept { return impl_->sport; }

Result<Features> History::features(const Upcoming& game) const {
  const auto none = [&] {
    return fail(Errc::not_found,
                fmt::format("player {} has no game before {}", game.player_id, format_date(game.date)));
  };
  const auto at = impl_->players.find(game.player_id);
  if (at == impl_->players.end()) return none();
  const auto& past = at->second;
  // Everything below looks only at the first `count` games, and at tendencies "before" this day: nothing from the day
  // itself or later gets in. A test changes the future and compares.
  const auto end =
      std::ranges::lower_bound(past, game.date, {}, [&](const Played& p) { return impl_->games[p.game].date; });
  const auto count = static_cast<std::size_t>(end - past.begin());
  if (count == 0) return none();

  Features f{.sport = impl_->sport,
             .player_id = game.player_id,
             .game_id = game.game_id,
             .date = game.date,
             .season = game.season,
             .team = game.team,
             .opponent = game.opponent,
             .home = game.home,
             .rest_days = rest_between(impl_->games[past[count - 1].game].date, game.date)};
  impl_->add_means(f, past, count);
  f.league_mean = on_grid(impl_->league_mean(game.date, game.season));
  f.league_home_edge = on_grid(impl_->home_edge(game.date, game.season));
  f.opponent_edge = on_grid(impl_->opponents.before(game.opponent, game.date, game.season));
  f.team_edge = on_grid(impl_->teams.before(game.team, game.date, game.season));
  f.park_edge = on_grid(impl_->parks.before(park_of(game), game.date, game.season));
  impl_->add_recent(f, past, count);
  impl_->add_quality(f, past, count);
  f.data_hash = fingerprint(to_json(f));
  return f;
}

}  // namespace serin::fleet
