#pragma once

namespace serin::fleet {

/// Means of the last games, as a person would take them.
struct MovingAverageParameters {
  double last_5 = 0.5;  ///< weights of the three means; >= 0, not all 0
  double last_10 = 0.3;
  double season = 0.2;
  double shrink_games = 0;  ///< so many games at the long-term mean are mixed in; >= 0
  double home = 1;          ///< share of the league's home edge that is believed; 0 to 2, like the next
  double opponent = 1;      ///< share of what the opponent gives up
  double tired = 0;         ///< value lost on the day after a game; >= 0
};

/// A decaying mean of past games, each freed of its opponent and place, then put before this game's.
struct OpponentAdjustedParameters {
  double half_life = 12;         ///< games, of the value; > 0
  double rate_half_life = 30;    ///< games, of the value per minute; > 0
  double minutes_half_life = 5;  ///< games, of the minutes; > 0
  double by_minutes = 0;         ///< how much of the level is rate x minutes; 0 to 1
  double other_season = 1;       ///< weight of a game of another season; 0 to 1
  double shrink_games = 2;       ///< so many games at the long-term mean are mixed in; >= 0
  double league = 0;             ///< share of the league's mean in the long-term mean; 0 to 1
  double home = 1;               ///< shares of the edges that are believed; 0 to 2
  double opponent = 1;
  double team = 0;
  double park = 0;
};

/// The mean of past games that were like this one: near in time, same place, alike opponent and rest.
struct SimilarityParameters {
  double age = 20;          ///< games after which a game counts 1/e; > 0
  double home = 0.3;        ///< distance of a game at the other place; >= 0, like the next two
  double rest = 0.05;       ///< distance of a day of rest more or less
  double opponent = 0.1;    ///< distance of an opponent that gives up one more or less
  double shrink_games = 3;  ///< so many games at the season's mean are mixed in; >= 0
};

/// Weights of the three; they are brought to a sum of 1.
struct EnsembleParameters {
  double moving_average = 1;
  double opponent_adjusted = 1;
  double similarity = 1;
};

/// The numbers of one sport's models, as a model file gives them.
struct SportParameters {
  MovingAverageParameters moving_average;
  OpponentAdjustedParameters opponent_adjusted;
  SimilarityParameters similarity;
  EnsembleParameters ensemble;
  double pass_below = 0.1;  ///< spreads between prediction and line below which nothing is recommended; >= 0
};

}  // namespace serin::fleet
