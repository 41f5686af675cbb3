#include "files.hpp"

#include "serin/fleet_data/gzip.hpp"
#include "serin/fleet_data/nba_csv.hpp"
#include "serin/fleet_data/retrosheet.hpp"
#include "serin/fleet_data/simulated.hpp"
#include "serin/system/files.hpp"

namespace serin::fleet {
namespace {

Result<std::string> read_text(const std::string& path) {
  SERIN_TRY(std::string bytes, read_file(path));
  Result<std::string> text = text_of_file(std::move(bytes));
  if (!text) return pass(text.error().in(path));
  return text;
}

}  // namespace

Result<League> read_league(const GameFiles& files, std::string& notice) {
  if (files.nba.empty() && files.mlb.empty()) return simulate_league({});
  League league;
  if (!files.nba.empty()) {
    SERIN_TRY(const std::string text, read_text(files.nba));
    SERIN_TRY(NbaFile file, parse_nba_csv(text, files.nba));
    league.players = std::move(file.rows);
    league.games = schedule_of(league.players);
  }
  for (const std::string& path : files.mlb) {
    SERIN_TRY(const std::string text, read_text(path));
    SERIN_TRY(const RetrosheetFile file, parse_retrosheet(text, path));
    league.pitchers.insert(league.pitchers.end(), file.rows.begin(), file.rows.end());
    notice = retrosheet_notice;
  }
  const std::vector<ScheduledGame> mlb = schedule_of(league.pitchers);
  league.games.insert(league.games.end(), mlb.begin(), mlb.end());
  return league;
}

}  // namespace serin::fleet
