// Any bytes: parse_nba_csv answers with rows that keep their promises, or with an error that names the file.
#include <cstdlib>
#include <string>

#include "serin/fleet_data/nba_csv.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string text =
      "SEASON_ID,Player_ID,Game_ID,GAME_DATE,MATCHUP,WL,MIN,FGM,FGA,FG_PCT,FG3M,FG3A,FG3_PCT,FTM,FTA,FT_PCT,OREB,DREB,"
      "REB,AST,STL,BLK,TOV,PF,PTS,PLUS_MINUS,VIDEO_AVAILABLE,PLAYER_NAME,SEASON\n";
  const std::string bytes(data, data + size);
  // An even first byte keeps a good header in front, so that the rows behind it are reached.
  text = size > 0 && data[0] % 2 == 0 ? text + bytes.substr(1) : bytes;
  const auto file = serin::fleet::parse_nba_csv(text, "games.csv");
  if (!file && !file.error().detail().starts_with("games.csv:")) std::abort();
  if (file && file->rows.empty()) std::abort();
  return 0;
}
