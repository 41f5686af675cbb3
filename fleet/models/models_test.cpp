// Goal: the models see nothing of the future, survive storage exactly, and are worth their place. Method: the simulated
// league; a future that is changed must change no prediction.
#include <gtest/gtest.h>

#include <algorithm>

#include "serin/fleet_data/simulated.hpp"
#include "serin/fleet_models/accuracy.hpp"
#include "serin/fleet_models/skip.hpp"

namespace serin::fleet {
namespace {

const League& league() {
  static const League simulated =
      simulate_league({.nba_teams = 8, .nba_games_a_team = 60, .mlb_teams = 10, .mlb_games_a_team = 120}).value();
  return simulated;
}
ModelSet models() { return ModelSet::load(ModelSet::default_file()).value(); }

Upcoming upcoming_of(const Appearance& game) {
  return {game.player_id, game.game_id, game.date, game.season, game.team, game.opponent, game.home};
}

TEST(Features, know_nothing_of_the_day_itself_and_after) {
  std::vector<Appearance> games = appearances(league().players);
  const History before(Sport::nba, games);
  const Appearance asked = before.games()[before.games().size() / 2];
  for (Appearance& game : games)
    if (game.date >= asked.date) game.value += 50;
  const History changed(Sport::nba, games);
  EXPECT_EQ(before.features(upcoming_of(asked)).value(), changed.features(upcoming_of(asked)).value());
  for (Appearance& game : games)
    if (game.date < asked.date) game.value += 50;
  EXPECT_NE(before.features(upcoming_of(asked)).value().data_hash,
            History(Sport::nba, games).features(upcoming_of(asked)).value().data_hash);
}

TEST(Features, read_back_from_the_store_as_they_were) {
  const History history(Sport::mlb, appearances(league().pitchers));
  const auto& games = history.games();
  for (std::size_t i = games.size() / 2; i < games.size() / 2 + 50; ++i) {
    const Result<Features> features = history.features(upcoming_of(games[i]));
    if (!features) continue;
    EXPECT_EQ(parse_features(to_json(*features)).value(), *features);
  }
  for (const char* broken : {"", "{}", "[]", R"({"version":2})", "{\"version\":1}"})
    EXPECT_FALSE(parse_features(broken).has_value()) << broken;
}

TEST(Models, of_the_shipped_file_beat_the_naive_baseline_in_both_sports) {
  const History nba(Sport::nba, appearances(league().players));
  const History mlb(Sport::mlb, appearances(league().pitchers));
  for (const History* history : {&nba, &mlb}) {
    const AccuracyReport report = measure_accuracy(*history, models(), {}).value();
    ASSERT_GT(report.seasons.back().predictions, 500u);
    EXPECT_TRUE(report.ensemble_beats_baseline())
        << sport_name(history->sport()) << ": " << report.seasons.back().models.back().absolute_error << " against "
        << report.seasons.back().models.front().absolute_error;
  }
  EXPECT_FALSE(measure_accuracy(nba, models(), {.seasons = {"1900-01"}}).has_value());
}

TEST(Models, predict_finite_values_with_a_side_against_a_line) {
  const History history(Sport::nba, appearances(league().players));
  const Features features = history.features(upcoming_of(history.games().back())).value();
  for (const std::string_view name : ModelSet::names) {
    const Prediction low = models().predict(name, features, 0.0).value();
    const Prediction high = models().predict(name, features, 500.0).value();
    EXPECT_EQ(low.value, high.value) << "the line changes the side, not the value";
    EXPECT_EQ(low.recommendation, Recommendation::over);
    EXPECT_EQ(high.recommendation, Recommendation::under);
    EXPECT_GE(low.confidence, 0);
    EXPECT_LE(high.confidence, 100);
  }
  EXPECT_EQ(models().predict("oracle", features).error().code(), Errc::not_found);
  EXPECT_EQ(models().predict("ensemble", Features{}).error().code(), Errc::invalid_argument);
}

TEST(ModelFile, that_is_damaged_is_refused_with_the_place) {
  const std::string good(ModelSet::default_file());
  const auto error_of = [](const std::string& text) {
    const Result<ModelSet> set = ModelSet::load(text);
    return set ? std::string("loaded") : set.error().detail();
  };
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  EXPECT_EQ(error_of(good), "loaded");
  EXPECT_NE(error_of("").find("line 1"), std::string::npos) << error_of("");
  EXPECT_EQ(error_of(with("\"half_life\": 14", "\"half_life\": 0")),
            "the model file: nba.opponent_adjusted.half_life is not a number from 0.1 to 1000000");
  EXPECT_EQ(error_of(with("\"last_5\"", "\"last_6\"")), "the model file: nba.moving_average.last_5 is missing");
  EXPECT_NE(error_of(with("models/1", "models/9")).find("models/9"), std::string::npos);
}

TEST(SkipReasons, are_a_closed_list) {
  EXPECT_TRUE(is_permanent(parse_skip_reason("no_features").value()));
  EXPECT_FALSE(is_permanent(parse_skip_reason("breaker_open").value()));
  EXPECT_FALSE(parse_skip_reason("tired").has_value());
}

}  // namespace
}  // namespace serin::fleet
