#include "serin/fleet_data/nba_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>

#include "csv.hpp"
#include "serin/base/text.hpp"
#include "serin/base/time.hpp"

namespace serin::fleet {
namespace {

// The columns that are read; the place in this list is the place in Columns.
enum Column : std::size_t {
  player_id,
  game_id,
  game_date,
  matchup,
  won,
  minutes,
  fgm,
  fga,
  fg3m,
  fg3a,
  ftm,
  fta,
  rebounds,
  assists,
  steals,
  blocks,
  turnovers,
  fouls,
  points,
  plus_minus,
  name,
  season,
  column_count
};
constexpr std::array<std::string_view, column_count> column_names = {
    "Player_ID", "Game_ID", "GAME_DATE", "MATCHUP", "WL",  "MIN", "FGM", "FGA", "FG3M",       "FG3A",        "FTM",
    "FTA",       "REB",     "AST",       "STL",     "BLK", "TOV", "PF",  "PTS", "PLUS_MINUS", "PLAYER_NAME", "SEASON"};
using Columns = std::array<std::size_t, column_count>;

/// "Apr 09, 2023" -> days since 1970.
Result<std::int64_t> parse_us_date(std::string_view text) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto wrong = [&] {
    return fail(Errc::data_loss, fmt::format("\"{}\" is not a date like \"Apr 09, 2023\"", text));
  };
  if (text.size() != 12 || text[3] != ' ' || text.substr(6, 2) != ", ") return wrong();
  const auto month = months.find(text.substr(0, 3));
  if (month == std::string_view::npos || month % 3 != 0) return wrong();
  const auto date = parse_date(fmt::format("{}-{:02}-{}", text.substr(8), month / 3 + 1, text.substr(4, 2)));
  if (!date) return wrong();
  return *date;
}

/// Reads the fields of one line; the first thing that is wrong stays, with the column's name.
class Row {
 public:
  Row(const std::vector<std::string>& fields, const Columns& columns) : fields_(fields), columns_(columns) {}

  std::string_view text(Column column) {
    const std::string_view field = fields_[columns_[column]];
    if (field.empty()) complain(column, "is empty");
    return field;
  }
  int count(Column column, int least = 0) {
    const auto number = to_int(text(column));
    if (!number || *number < least || *number > 1000) {
      complain(column, fmt::format("\"{}\" is not a whole number from {} to 1000", fields_[columns_[column]], least));
      return 0;
    }
    return static_cast<int>(*number);
  }
  double amount(Column column, double most) {
    const auto number = to_double(text(column));
    if (!number || !(*number >= 0 && *number <= most)) {
      complain(column, fmt::format("\"{}\" is not a number from 0 to {}", fields_[columns_[column]], most));
      return 0;
    }
    return *number;
  }
  void complain(Column column, std::string_view what) {
    if (wrong_.empty()) wrong_ = fmt::format("column {}: {}", column_names[column], what);
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  const std::vector<std::string>& fields_;
  const Columns& columns_;
  std::string wrong_;
};

void read_matchup(Row& row, PlayerGame& game) {
  const auto text = row.text(matchup);
  for (const auto& [sign, home] : {std::pair<std::string_view, bool>{" vs. ", true}, {" @ ", false}}) {
    const auto at = text.find(sign);
    if (at == std::string_view::npos || at == 0 || at + sign.size() == text.size()) continue;
    game.team = text.substr(0, at);
    game.opponent = text.substr(at + sign.size());
    game.home = home;
    return;
  }
  row.complain(matchup, fmt::format("\"{}\" is neither \"DAL vs. SAS\" nor \"DAL @ SAS\"", text));
}

PlayerGame read_row(Row& row) {
  PlayerGame game;
  game.player_id = row.text(player_id);
  game.name = row.text(name);
  game.game_id = row.text(game_id);
  if (const auto date = parse_us_date(row.text(game_date))) {
    game.date = *date;
  } else {
    row.complain(game_date, date.error().detail());
  }
  game.season = row.text(season);
  read_matchup(row, game);
  game.minutes = row.amount(minutes, 120);
  game.points = row.count(points);
  game.rebounds = row.count(rebounds);
  game.assists = row.count(assists);
  game.steals = row.count(steals);
  game.blocks = row.count(blocks);
  game.turnovers = row.count(turnovers);
  game.fouls = row.count(fouls);
  game.field_goals_made = row.count(fgm);
  game.field_goals_tried = row.count(fga);
  game.threes_made = row.count(fg3m);
  game.threes_tried = row.count(fg3a);
  game.free_throws_made = row.count(ftm);
  game.free_throws_tried = row.count(fta);
  game.plus_minus = row.count(plus_minus, -1000);
  game.won = row.text(won) == "W";
  return game;
}

Result<Columns> read_header(const std::vector<std::string>& fields) {
  Columns columns{};
  for (std::size_t wanted = 0; wanted < column_count; ++wanted) {
    const auto at = std::ranges::find(fields, column_names[wanted]);
    if (at == fields.end()) {
      const auto near = nearest_word(column_names[wanted], fields);
      return fail(Errc::data_loss, fmt::format("column {} is missing{}", column_names[wanted],
                                               near ? fmt::format(" (there is \"{}\")", *near) : ""));
    }
    columns[wanted] = static_cast<std::size_t>(at - fields.begin());
  }
  return columns;
}

}  // namespace

Result<NbaFile> parse_nba_csv(std::string_view text, std::string_view file) {
  LineReader lines(text);
  std::vector<std::string> fields;
  const auto wrong = [&](std::string_view what) {
    return fail(Errc::data_loss, fmt::format("{}:{}: {}", file, lines.number(), what));
  };

  std::string_view line;
  if (!lines.next(line)) return fail(Errc::data_loss, fmt::format("{}: the file is empty", file));
  if (const auto split = split_csv_line(line, fields); !split) return wrong(split.error().detail());
  const auto columns = read_header(fields);
  if (!columns) return wrong(columns.error().detail());
  const std::size_t width = fields.size();

  NbaFile result;
  std::unordered_map<std::string, std::size_t> seen;  // player and game -> place in rows
  while (lines.next(line)) {
    if (const auto split = split_csv_line(line, fields); !split) return wrong(split.error().detail());
    if (fields.size() != width) return wrong(fmt::format("{} fields, the header has {}", fields.size(), width));
    Row row(fields, *columns);
    PlayerGame game = read_row(row);
    if (!row.wrong().empty()) return wrong(row.wrong());
    const auto [at, is_new] = seen.try_emplace(game.player_id + ' ' + game.game_id, result.rows.size());
    if (is_new) {
      result.rows.push_back(std::move(game));
    } else if (result.rows[at->second] == game) {
      ++result.duplicates;
    } else {
      return wrong(
          fmt::format("player {} and game {} were there before with other numbers", game.player_id, game.game_id));
    }
  }
  if (result.rows.empty()) return fail(Errc::data_loss, fmt::format("{}: a header and no rows", file));
  std::ranges::sort(result.rows, {},
                    [](const PlayerGame& row) { return std::tie(row.date, row.game_id, row.player_id); });
  result.did_not_play =
      static_cast<std::size_t>(std::ranges::count_if(result.rows, [](const PlayerGame& row) { return !row.played(); }));
  return result;
}

}  // namespace serin::fleet
