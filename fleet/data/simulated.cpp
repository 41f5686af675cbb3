#include "serin/fleet_data/simulated.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <tuple>
#include <utility>

#include "dice.hpp"
#include "serin/base/time.hpp"

namespace serin::fleet {
namespace {

constexpr std::int64_t day_of(int year, int month, int day) {
  return std::chrono::sys_days(std::chrono::year(year) / month / day).time_since_epoch().count();
}

std::string make_name(Dice& dice) {
  constexpr std::array<std::string_view, 12> first = {"Alba", "Bo",   "Cato", "Dara", "Eik", "Finn",
                                                      "Gus",  "Hale", "Ivo",  "Juno", "Kai", "Leo"};
  constexpr std::array<std::string_view, 12> start = {"Ard",  "Bel", "Cor", "Dun", "Elm", "Far",
                                                      "Gran", "Hol", "Ing", "Jor", "Kel", "Lund"};
  constexpr std::array<std::string_view, 10> end = {"berg", "by",   "dal", "ell", "ford",
                                                    "gren", "holm", "man", "sen", "wick"};
  const auto pick = [&](const auto& list) {
    return list[static_cast<std::size_t>(dice.below(static_cast<int>(list.size())))];
  };
  const auto a = pick(first);
  const auto b = pick(start);
  return fmt::format("{} {}{} (sim)", a, b, pick(end));
}

/// Round `round` of a round robin (circle method): each of the `teams` plays once; the second half of a cycle swaps
/// home.
std::vector<std::pair<int, int>> pairs_of_round(int round, int teams) {
  std::vector<std::pair<int, int>> pairs;
  const int cycle = teams - 1;
  const auto seat = [&](int i) { return i == 0 ? 0 : 1 + (i - 1 + round) % cycle; };
  for (int i = 0; i < teams / 2; ++i) {
    const int a = seat(i);
    const int b = seat(teams - 1 - i);
    const bool swap = ((round / cycle) + i + round) % 2 == 1;
    pairs.emplace_back(swap ? b : a, swap ? a : b);
  }
  return pairs;
}

/// Who is hurt, and for how many more of the team's games.
struct Health {
  int games_out = 0;
  bool available(Dice& dice, double chance_a_game, int longest) {
    if (games_out > 0) {
      --games_out;
      return false;
    }
    if (dice.chance(chance_a_game)) games_out = 1 + dice.below(longest);
    return true;
  }
};

// ---- basketball -----------------------------------------------------------------------------------------------------

constexpr int roster_size = 11;
struct Shooter {
  std::string id;
  std::string name;
  double minutes = 0;     // usual in a game
  double shots = 0;       // tried a minute
  double threes = 0;      // share of shots
  double accuracy = 0;    // added to the league's
  double form = 0;        // drifts: share of shots and of accuracy
  double role = 0;        // drifts: minutes
  std::int64_t last = 0;  // day of the last game played
  Health health;
};
struct BasketballTeam {
  std::string id;
  double defence = 0;  // taken off the other side's accuracy
  double pace = 1;
  std::array<Shooter, roster_size> roster;
};

BasketballTeam make_basketball_team(int number, Dice& dice) {
  BasketballTeam team;
  team.id = fmt::format("sim-nba-t{:02}", number + 1);
  team.defence = dice.normal(0, 0.022);
  team.pace = dice.normal(1, 0.04);
  for (int i = 0; i < roster_size; ++i) {
    const double rank = static_cast<double>(i) / (roster_size - 1);  // 0 the star, 1 the end of the bench
    auto& player = team.roster[static_cast<std::size_t>(i)];
    player.id = fmt::format("sim-nba-p{:02}{:02}", number + 1, i + 1);
    player.name = make_name(dice);
    player.minutes = std::clamp(dice.normal(36 - 26 * rank, 2.5), 6.0, 38.0);
    player.shots = std::clamp(dice.normal(0.55 - 0.20 * rank, 0.07), 0.2, 0.75);
    player.threes = std::clamp(dice.normal(0.38, 0.15), 0.0, 0.8);
    player.accuracy = dice.normal(0, 0.03);
  }
  return team;
}

PlayerGame play(Shooter& player, const BasketballTeam& own, const BasketballTeam& other, bool home, std::int64_t day,
                Dice& dice) {
  const bool tired = player.last == day - 1;
  player.last = day;
  player.form = 0.93 * player.form + dice.normal(0, 0.05);
  player.role = 0.95 * player.role + dice.normal(0, 1.0);
  PlayerGame row{.player_id = player.id, .name = player.name, .team = own.id, .opponent = other.id, .home = home};
  const double minutes = player.minutes + player.role + dice.normal(tired ? -1.5 : 0, 4.0);
  row.minutes = static_cast<double>(static_cast<int>(std::clamp(minutes, 1.0, 48.0)));
  const double pace = (own.pace + other.pace) / 2;
  const double luck = dice.normal(1, 0.16) * (1 + player.form);
  const int shots = static_cast<int>(std::max(0.0, row.minutes * player.shots * pace * luck + dice.unit()));
  const double shift =
      player.accuracy + 0.2 * player.form - other.defence + (home ? 0.012 : -0.012) - (tired ? 0.015 : 0);
  row.threes_tried = dice.successes(shots, player.threes);
  row.threes_made = dice.successes(row.threes_tried, 0.36 + shift);
  row.field_goals_tried = shots;
  row.field_goals_made = row.threes_made + dice.successes(shots - row.threes_tried, 0.53 + shift);
  row.free_throws_tried = dice.successes(shots, 0.25);
  row.free_throws_made = dice.successes(row.free_throws_tried, 0.78 + player.accuracy);
  row.points = 2 * row.field_goals_made + row.threes_made + row.free_throws_made;
  const int played = static_cast<int>(row.minutes);
  row.rebounds = dice.successes(played, 0.18);
  row.assists = dice.successes(played, 0.11);
  row.steals = dice.successes(played, 0.03);
  row.blocks = dice.successes(played, 0.02);
  row.turnovers = dice.successes(played, 0.06);
  row.fouls = std::min(6, dice.successes(played, 0.09));
  return row;
}

void play_basketball_season(std::vector<BasketballTeam>& teams, int year, int rounds, Dice& dice, League& league) {
  const std::int64_t first_day = day_of(year, 10, 22);
  const std::string season = fmt::format("{}-{:02}", year, (year + 1) % 100);
  std::vector<std::tuple<std::int64_t, int, int>> games;
  for (int round = 0; round < rounds; ++round) {
    // A round takes two days, so that nobody plays twice a day and some play on two days in a row.
    for (const auto& [home, away] : pairs_of_round(round, static_cast<int>(teams.size())))
      games.emplace_back(first_day + 2 * round + dice.below(2), home, away);
  }
  std::ranges::sort(games);
  int number = 0;
  for (const auto& [day, home, away] : games) {
    const std::string id = fmt::format("sim-nba-g{}-{:04}", year, ++number);
    auto& home_team = teams[static_cast<std::size_t>(home)];
    auto& away_team = teams[static_cast<std::size_t>(away)];
    league.games.push_back({Sport::nba, id, day, season, home_team.id, away_team.id});
    const std::size_t begin = league.players.size();
    std::array<int, 2> score = {0, 0};
    for (const bool at_home : {true, false}) {
      auto& own = at_home ? home_team : away_team;
      for (auto& player : own.roster) {
        if (!player.health.available(dice, 0.015, 12)) {
          // A short absence is on the list with 0 minutes; who is out for long is not listed at all.
          if (player.health.games_out > 2) continue;
          league.players.push_back({.player_id = player.id,
                                    .name = player.name,
                                    .team = own.id,
                                    .opponent = (at_home ? away_team : home_team).id,
                                    .home = at_home});
        } else {
          league.players.push_back(play(player, own, at_home ? away_team : home_team, at_home, day, dice));
        }
        score[at_home ? 0 : 1] += league.players.back().points;
      }
    }
    if (score[0] == score[1]) ++score[0];  // settled in an overtime that the box score does not show
    for (std::size_t i = begin; i < league.players.size(); ++i) {
      auto& row = league.players[i];
      row.game_id = id;
      row.date = day;
      row.season = season;
      row.won = (score[0] > score[1]) == row.home;
      row.plus_minus = row.played() ? (row.home ? score[0] - score[1] : score[1] - score[0]) : 0;
    }
  }
}

// ---- baseball -------------------------------------------------------------------------------------------------------

constexpr int rotation_size = 5;
struct Starter {
  std::string id;
  std::string name;
  double skill = 0;  // added to the chance of a strikeout by the whole staff on his day
  double form = 0;
  Health health;
};
struct BaseballTeam {
  std::string id;
  double batting = 0;  // added to the chance that its batters strike out
  double staff = 0;    // added by the pitchers who follow the starter
  double park = 0;
  int next = 0;                                     // whose turn it is
  std::array<Starter, rotation_size + 2> rotation;  // the last two stand in for the injured
};

BaseballTeam make_baseball_team(int number, Dice& dice) {
  BaseballTeam team;
  team.id = fmt::format("sim-mlb-t{:02}", number + 1);
  team.batting = dice.normal(0, 0.018);
  team.staff = dice.normal(0, 0.012);
  team.park = dice.normal(0, 0.006);
  for (int i = 0; i < rotation_size + 2; ++i) {
    auto& starter = team.rotation[static_cast<std::size_t>(i)];
    starter.id = fmt::format("sim-mlb-p{:02}{:02}", number + 1, i + 1);
    starter.name = make_name(dice);
    starter.skill = dice.normal(0.01 - 0.006 * i, 0.028);
  }
  return team;
}

Starter& whose_turn(BaseballTeam& team, Dice& dice) {
  auto& regular = team.rotation[static_cast<std::size_t>(team.next)];
  team.next = (team.next + 1) % rotation_size;
  if (regular.health.available(dice, 0.02, 6)) return regular;
  return team.rotation[static_cast<std::size_t>(rotation_size) + static_cast<std::size_t>(dice.below(2))];
}

PitcherGame pitch(Starter& starter, const BaseballTeam& own, const BaseballTeam& other, bool home, Dice& dice) {
  starter.form = 0.9 * starter.form + dice.normal(0, 0.008);
  const double park = home ? own.park : other.park;
  const double chance = 0.222 + starter.skill + starter.form + own.staff + other.batting + park;
  // Visitors lead after eight and a half innings in about half of the games, and then the home side bats no more.
  const int outs = home || dice.chance(0.5) ? 27 : 24;
  const int batters = outs + 5 + dice.below(11);
  const int reached = batters - outs;
  PitcherGame row{.pitcher_id = starter.id, .name = starter.name, .team = own.id, .opponent = other.id, .home = home};
  row.strikeouts = std::min(outs, dice.successes(batters, std::clamp(chance, 0.05, 0.5)));
  row.walks = dice.successes(reached, 0.3);
  row.hits = reached - row.walks;
  row.runs = dice.successes(reached, 0.4);
  row.outs = outs;
  row.pitchers_used = 1 + dice.below(6);
  return row;
}

void play_baseball_season(std::vector<BaseballTeam>& teams, int year, int rounds, Dice& dice, League& league) {
  const std::int64_t first_day = day_of(year, 4, 1);
  const std::string season = fmt::format("{}", year);
  int number = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::int64_t day = first_day + round + round / 10;  // a day off after ten games
    // Series of three games against the same team.
    for (const auto& [home, away] : pairs_of_round(round / 3, static_cast<int>(teams.size()))) {
      auto& home_team = teams[static_cast<std::size_t>(home)];
      auto& away_team = teams[static_cast<std::size_t>(away)];
      const std::string id = fmt::format("sim-mlb-g{}-{:04}", year, ++number);
      league.games.push_back({Sport::mlb, id, day, season, home_team.id, away_team.id});
      for (const bool at_home : {true, false}) {
        auto& own = at_home ? home_team : away_team;
        auto& starter = whose_turn(own, dice);
        auto row = pitch(starter, own, at_home ? away_team : home_team, at_home, dice);
        row.game_id = id;
        row.date = day;
        row.season = season;
        league.pitchers.push_back(std::move(row));
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

Status check(std::string_view name, int value, int least, int most) {
  if (value >= least && value <= most) return {};
  return fail(Errc::invalid_argument, fmt::format("{} is {}, not {} to {}", name, value, least, most));
}
Status check_teams(std::string_view name, int value) {
  if (value >= 0 && value <= 30 && value % 2 == 0) return {};
  return fail(Errc::invalid_argument, fmt::format("{} is {}, not an even number from 0 to 30", name, value));
}

}  // namespace

Result<League> simulate_league(const SimulationOptions& options) {
  SERIN_CHECK(check_teams("nba_teams", options.nba_teams));
  SERIN_CHECK(check_teams("mlb_teams", options.mlb_teams));
  SERIN_CHECK(check("nba_games_a_team", options.nba_games_a_team, 1, 150));
  SERIN_CHECK(check("mlb_games_a_team", options.mlb_games_a_team, 1, 240));
  SERIN_CHECK(check("nba_seasons", options.nba_seasons, 1, 10));
  SERIN_CHECK(check("mlb_seasons", options.mlb_seasons, 1, 10));
  SERIN_CHECK(check("nba_first_year", options.nba_first_year, 1970, 2100));
  SERIN_CHECK(check("mlb_first_year", options.mlb_first_year, 1970, 2100));

  League league;
  Dice basketball(options.seed);
  std::vector<BasketballTeam> nba;
  for (int i = 0; i < options.nba_teams; ++i) nba.push_back(make_basketball_team(i, basketball));
  for (int season = 0; season < options.nba_seasons && !nba.empty(); ++season)
    play_basketball_season(nba, options.nba_first_year + season, options.nba_games_a_team, basketball, league);

  Dice baseball(options.seed ^ 0xBA5EBA11);  // its own sequence: a change of one sport leaves the other as it was
  std::vector<BaseballTeam> mlb;
  for (int i = 0; i < options.mlb_teams; ++i) mlb.push_back(make_baseball_team(i, baseball));
  for (int season = 0; season < options.mlb_seasons && !mlb.empty(); ++season)
    play_baseball_season(mlb, options.mlb_first_year + season, options.mlb_games_a_team, baseball, league);

  const auto by_day = [](const auto& row) { return std::tie(row.date, row.game_id); };
  std::ranges::sort(league.games, {}, by_day);
  const auto player_order = [](const PlayerGame& row) { return std::tie(row.date, row.game_id, row.player_id); };
  std::ranges::sort(league.players, {}, player_order);
  const auto pitcher_order = [](const PitcherGame& row) { return std::tie(row.date, row.game_id, row.pitcher_id); };
  std::ranges::sort(league.pitchers, {}, pitcher_order);
  return league;
}

}  // namespace serin::fleet
