// Goal: game files are read exactly or refused with the place of the mistake; the simulated league is the same for
// everybody. Method: small texts by hand.
#include <gtest/gtest.h>
#include <zlib.h>

#include <set>

#include "serin/base/time.hpp"
#include "serin/fleet_data/gzip.hpp"
#include "serin/fleet_data/nba_csv.hpp"
#include "serin/fleet_data/retrosheet.hpp"
#include "serin/fleet_data/simulated.hpp"

namespace serin::fleet {
namespace {

const std::string header =
    "SEASON_ID,Player_ID,Game_ID,GAME_DATE,MATCHUP,WL,MIN,FGM,FGA,FG_PCT,FG3M,FG3A,FG3_PCT,FTM,FTA,FT_PCT,OREB,DREB,"
    "REB,AST,STL,"
    "BLK,TOV,PF,PTS,PLUS_MINUS,VIDEO_AVAILABLE,PLAYER_NAME,SEASON\n";
const std::string home_game =
    "22022,203939,0022201218,\"Apr 09, 2023\",DAL vs. "
    "SAS,L,32,6,13,0.462,1,5,0.2,2,2,1.0,1,4,5,2,1,0,1,3,15,-4,1,Dwight Powell,2022-23\n";

std::string error_of(const std::string& text) {
  const Result<NbaFile> file = parse_nba_csv(text, "games.csv");
  return file ? "accepted" : file.error().detail();
}

TEST(NbaCsv, reads_a_row_as_it_is_meant) {
  const Result<NbaFile> file = parse_nba_csv(header + home_game, "games.csv");
  ASSERT_TRUE(file) << file.error().text();
  ASSERT_EQ(file->rows.size(), 1u);
  const PlayerGame& row = file->rows[0];
  EXPECT_EQ(row.player_id, "203939");
  EXPECT_EQ(row.date, parse_date("2023-04-09").value());
  EXPECT_TRUE(row.home);
  EXPECT_EQ(row.team, "DAL");
  EXPECT_EQ(row.opponent, "SAS");
  EXPECT_EQ(row.points, 15);
  EXPECT_EQ(row.minutes, 32);
  EXPECT_FALSE(row.won);
  EXPECT_EQ(parse_nba_csv(header + home_game + home_game, "x")->duplicates, 1u);
}

TEST(NbaCsv, refuses_what_it_cannot_know_with_line_and_column) {
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = header + home_game;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  EXPECT_NE(error_of(""), "accepted");
  EXPECT_NE(error_of(header), "accepted") << "no rows";
  EXPECT_EQ(error_of(with("Apr 09", "Apr 31")).substr(0, 12), "games.csv:2:");
  EXPECT_NE(error_of(with(",15,-4", ",many,-4")).find("PTS"), std::string::npos)
      << error_of(with(",15,-4", ",many,-4"));
  EXPECT_NE(error_of(with("PTS", "PTZ")).find("games.csv:1:"), std::string::npos) << error_of(with("PTS", "PTZ"));
  EXPECT_NE(error_of(header + home_game + with(",15,-4", ",16,-4").substr(header.size())), "accepted")
      << "one player, one game, two truths";
}

TEST(Retrosheet, refuses_what_is_no_game_log) {
  for (const char* text : {"", "a,b,c\n", "\"20170402\",\"0\",\"Sun\"\n"}) {
    const Result<RetrosheetFile> file = parse_retrosheet(text, "gl.txt");
    ASSERT_FALSE(file) << text;
    EXPECT_EQ(file.error().code(), Errc::data_loss);
    EXPECT_NE(file.error().detail().find("gl.txt"), std::string::npos) << file.error().detail();
  }
}

TEST(Gzip, is_recognised_and_damage_is_named) {
  const std::string plain = "just text";
  EXPECT_EQ(text_of_file(plain).value(), plain);
  std::string packed(200, '\0');
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string copy = plain;
  stream.next_in = static_cast<Bytef*>(static_cast<void*>(copy.data()));
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = static_cast<Bytef*>(static_cast<void*>(packed.data()));
  stream.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  EXPECT_EQ(text_of_file(packed).value(), plain);
  EXPECT_FALSE(text_of_file(packed.substr(0, packed.size() - 6)).has_value()) << "cut off";
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  EXPECT_FALSE(text_of_file(packed).has_value()) << "damaged";
}

TEST(SimulatedLeague, is_the_same_for_the_same_seed_and_sound) {
  const SimulationOptions options{.nba_teams = 4, .nba_games_a_team = 20, .mlb_teams = 4, .mlb_games_a_team = 20};
  const League league = simulate_league(options).value();
  EXPECT_EQ(league.players, simulate_league(options)->players);
  SimulationOptions other = options;
  other.seed = 2;
  EXPECT_NE(league.players, simulate_league(other)->players);
  ASSERT_GT(league.players.size(), 100u);
  ASSERT_EQ(league.pitchers.size(), 4u * 20u);
  std::set<std::string> games;
  for (const ScheduledGame& game : league.games) EXPECT_TRUE(games.insert(game.game_id).second) << game.game_id;
  for (const PlayerGame& row : league.players) {
    EXPECT_TRUE(games.contains(row.game_id));
    EXPECT_TRUE(row.player_id.starts_with("sim-")) << row.player_id;
    EXPECT_LE(row.field_goals_made, row.field_goals_tried);
    EXPECT_EQ(row.points, 2 * (row.field_goals_made - row.threes_made) + 3 * row.threes_made + row.free_throws_made);
  }
  EXPECT_FALSE(simulate_league({.nba_teams = 3}).has_value());
}

}  // namespace
}  // namespace serin::fleet
