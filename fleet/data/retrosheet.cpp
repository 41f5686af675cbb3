#include "serin/fleet_data/retrosheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "csv.hpp"
#include "serin/base/text.hpp"
#include "serin/base/time.hpp"

namespace serin::fleet {
namespace {

// Fields by their number in Retrosheet's description, which counts from 1.
constexpr std::size_t field_count = 161;
constexpr std::size_t f_date = 1;
constexpr std::size_t f_game_of_day = 2;
/// Where the fields of one side stand.
struct Side {
  std::string_view name;
  std::size_t team, runs, hits, walks, strikeouts, pitchers_used, putouts, starter_id, starter_name;
};
constexpr Side visitor = {"visiting", 4, 10, 23, 31, 33, 39, 44, 102, 103};
constexpr Side home = {"home", 7, 11, 51, 59, 61, 67, 72, 104, 105};

/// The fields of one line by number; the first thing that is wrong stays, with the field's number and meaning.
class Line {
 public:
  explicit Line(const std::vector<std::string>& fields) : fields_(fields) {}
  [[nodiscard]] std::string_view text(std::size_t number) const { return fields_[number - 1]; }
  std::string_view required(std::size_t number, std::string_view meaning) {
    if (text(number).empty()) complain(number, meaning, "is empty");
    return text(number);
  }
  /// Nothing when the field is empty: Retrosheet leaves out what is not known.
  std::optional<int> count(std::size_t number, std::string_view meaning) {
    if (text(number).empty()) return std::nullopt;
    const auto value = to_int(text(number));
    if (value && *value >= 0 && *value <= 1000) return static_cast<int>(*value);
    complain(number, meaning, fmt::format("\"{}\" is not a whole number from 0 to 1000", text(number)));
    return std::nullopt;
  }
  void complain(std::size_t number, std::string_view meaning, std::string_view what) {
    if (wrong_.empty()) wrong_ = fmt::format("field {} ({}): {}", number, meaning, what);
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  const std::vector<std::string>& fields_;
  std::string wrong_;
};

struct Game {
  std::string id;
  std::int64_t date = 0;
  std::string season;
};

Game read_game(Line& line) {
  const auto date = line.required(f_date, "date");
  const auto of_day = line.required(f_game_of_day, "number of game");
  Game game;
  const auto days = date.size() == 8
                        ? parse_date(fmt::format("{}-{}-{}", date.substr(0, 4), date.substr(4, 2), date.substr(6)))
                        : Result<std::int64_t>(0);
  if (date.size() != 8 || !days) {
    line.complain(f_date, "date", fmt::format("\"{}\" is not a day as yyyymmdd", date));
    return game;
  }
  if (std::string_view("0123AB").find(of_day) == std::string_view::npos || of_day.size() != 1) {
    line.complain(f_game_of_day, "number of game", fmt::format("\"{}\" is none of 0, 1, 2, 3, A, B", of_day));
  }
  game.id = fmt::format("{}{}{}", line.required(home.team, "home team"), date, of_day);
  game.date = *days;
  game.season = date.substr(0, 4);
  return game;
}

/// The row of `own`'s starter: what its pitchers did stands in the batting line of `other`.
std::optional<PitcherGame> read_side(Line& line, const Game& game, const Side& own, const Side& other) {
  const auto meaning = [&](std::string_view what) { return fmt::format("{} team's {}", other.name, what); };
  const auto strikeouts = line.count(other.strikeouts, meaning("strikeouts"));
  const auto starter = line.text(own.starter_id);
  PitcherGame row{
      .pitcher_id = std::string(starter),
      .name = std::string(line.text(own.starter_name)),
      .game_id = game.id,
      .date = game.date,
      .season = game.season,
      .team = std::string(line.required(own.team, "team")),
      .opponent = std::string(line.required(other.team, "team")),
      .home = &own == &home,
      .strikeouts = strikeouts.value_or(0),
      .walks = line.count(other.walks, meaning("walks")).value_or(0),
      .hits = line.count(other.hits, meaning("hits")).value_or(0),
      .runs = line.count(other.runs, meaning("score")).value_or(0),
      .outs = line.count(own.putouts, fmt::format("{} team's putouts", own.name)).value_or(0),
      .pitchers_used = line.count(own.pitchers_used, fmt::format("{} team's pitchers", own.name)).value_or(0)};
  // A game without putouts was not played (a forfeit), or its box score is lost: no row, rather than a row of zeros.
  if (starter.empty() || !strikeouts || row.outs == 0) return std::nullopt;
  return row;
}

}  // namespace

Result<RetrosheetFile> parse_retrosheet(std::string_view text, std::string_view file) {
  LineReader lines(text);
  std::vector<std::string> fields;
  const auto wrong = [&](std::string_view what) {
    return fail(Errc::data_loss, fmt::format("{}:{}: {}", file, lines.number(), what));
  };

  RetrosheetFile result;
  std::unordered_map<std::string, std::string_view> seen;  // game -> its line
  std::string_view raw;
  while (lines.next(raw)) {
    if (raw == "\x1A") continue;  // some of these files end with the end-of-file mark of an older system
    if (const auto split = split_csv_line(raw, fields); !split) return wrong(split.error().detail());
    // Changes of umpires are appended to field 160 without quotes in some years, so a line may have more fields.
    if (fields.size() < field_count) return wrong(fmt::format("{} fields, a game has {}", fields.size(), field_count));
    Line line(fields);
    const Game game = read_game(line);
    auto visiting_row = read_side(line, game, visitor, home);
    auto home_row = read_side(line, game, home, visitor);
    if (!line.wrong().empty()) return wrong(line.wrong());

    const auto [at, is_new] = seen.try_emplace(game.id, raw);
    if (!is_new) {
      if (at->second != raw) return wrong(fmt::format("game {} was there before with other content", game.id));
      ++result.duplicates;
      continue;
    }
    for (auto* row : {&visiting_row, &home_row}) {
      if (*row)
        result.rows.push_back(std::move(**row));
      else
        ++result.left_out;
    }
  }
  if (result.rows.empty()) return fail(Errc::data_loss, fmt::format("{}: no game in it", file));
  std::ranges::sort(result.rows, {},
                    [](const PitcherGame& row) { return std::tie(row.date, row.game_id, row.pitcher_id); });
  return result;
}

}  // namespace serin::fleet
