#include "serin/fleet_models/features.hpp"

#include <algorithm>
#include <cmath>

#include "grid.hpp"
#include "json_fields.hpp"
#include "serin/base/time.hpp"

namespace serin::fleet {
namespace {

namespace json = boost::json;

constexpr double any = 1e6;  // no number in here is anywhere near
constexpr std::int64_t many = 100'000;
constexpr std::size_t recent_most = 40;

// A past game is a list, not an object: there are forty of them in each row of the store.
json::array to_array(const PastGame& game) {
  return {game.date,           game.same_season ? 1 : 0, game.home ? 1 : 0,
          game.rest_days,      on_grid(game.minutes),    on_grid(game.volume),
          on_grid(game.value), on_grid(game.opponent),   on_grid(game.park)};
}

bool read_past_game(const json::value& value, PastGame& game) {
  if (!value.is_array() || value.get_array().size() != 9) return false;
  std::array<double, 9> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto& item = value.get_array()[i];
    if (item.is_int64())
      numbers[i] = static_cast<double>(item.get_int64());
    else if (item.is_double())
      numbers[i] = on_grid(item.get_double());
    else
      return false;
    if (!(std::abs(numbers[i]) <= any)) return false;
  }
  for (const std::size_t i : {0U, 1U, 2U, 3U})
    if (!value.get_array()[i].is_int64()) return false;
  game = {.date = static_cast<std::int64_t>(numbers[0]),
          .same_season = numbers[1] != 0,
          .home = numbers[2] != 0,
          .rest_days = static_cast<int>(numbers[3]),
          .minutes = numbers[4],
          .volume = numbers[5],
          .value = numbers[6],
          .opponent = numbers[7],
          .park = numbers[8]};
  return game.minutes >= 0 && game.volume >= 0 && game.value >= 0 && game.rest_days >= 0;
}

}  // namespace

double on_grid(double value) noexcept { return std::round(value * 1e6) / 1e6; }

std::string to_json(const Features& f) {
  json::array recent;
  for (const PastGame& game : f.recent) recent.push_back(to_array(game));
  const json::object object{
      {"version", f.version},
      {"sport", sport_name(f.sport)},
      {"player_id", f.player_id},
      {"game_id", f.game_id},
      {"game_date", format_date(f.date)},
      {"season", f.season},
      {"team", f.team},
      {"opponent", f.opponent},
      {"home", f.home},
      {"rest_days", f.rest_days},
      {"season_games", f.season_games},
      {"season_mean", on_grid(f.season_mean)},
      {"season_minutes", on_grid(f.season_minutes)},
      {"career_games", f.career_games},
      {"career_mean", on_grid(f.career_mean)},
      {"career_minutes", on_grid(f.career_minutes)},
      {"prior_games", f.prior_games},
      {"prior_mean", on_grid(f.prior_mean)},
      {"league_mean", on_grid(f.league_mean)},
      {"league_home_edge", on_grid(f.league_home_edge)},
      {"opponent_edge", on_grid(f.opponent_edge)},
      {"team_edge", on_grid(f.team_edge)},
      {"park_edge", on_grid(f.park_edge)},
      {"recent", std::move(recent)},
      {"completeness", on_grid(f.completeness)},
      {"quality", on_grid(f.quality)},
      {"expected_games", f.expected_games},
      {"actual_games", f.actual_games},
      {"data_hash", f.data_hash},
  };
  return json::serialize(object);
}

Result<Features> parse_features(std::string_view text) {
  const auto parsed = parse_json_object(text);
  if (!parsed) return pass(parsed.error().in("features"));
  Fields fields(&*parsed, "");
  const auto whole = [&](std::string_view name) { return static_cast<int>(fields.whole(name, 0, many)); };
  const auto number = [&](std::string_view name) { return on_grid(fields.number(name, -any, any)); };

  Features f;
  f.version = whole("version");
  if (fields.wrong().empty() && f.version != Features::current_version)
    return fail(Errc::unsupported,
                fmt::format("features: version {}, this program reads {}", f.version, Features::current_version));
  const auto sport = fields.text("sport");
  f.sport = sport == sport_name(Sport::mlb) ? Sport::mlb : Sport::nba;
  if (sport != sport_name(f.sport)) fields.complain("sport", "is neither nba nor mlb");
  f.player_id = fields.text("player_id");
  f.game_id = fields.text("game_id");
  const auto date = parse_date(fields.text("game_date"));
  if (date)
    f.date = *date;
  else
    fields.complain("game_date", "is not a day like 2026-01-21");
  f.season = fields.text("season");
  f.team = fields.text("team");
  f.opponent = fields.text("opponent");
  f.home = fields.flag("home");
  f.rest_days = whole("rest_days");
  f.season_games = whole("season_games");
  f.season_mean = number("season_mean");
  f.season_minutes = number("season_minutes");
  f.career_games = whole("career_games");
  f.career_mean = number("career_mean");
  f.career_minutes = number("career_minutes");
  f.prior_games = whole("prior_games");
  f.prior_mean = number("prior_mean");
  f.league_mean = number("league_mean");
  f.league_home_edge = number("league_home_edge");
  f.opponent_edge = number("opponent_edge");
  f.team_edge = number("team_edge");
  f.park_edge = number("park_edge");
  if (const auto* recent = fields.array("recent")) {
    if (recent->size() > recent_most) fields.complain("recent", fmt::format("has more than {} games", recent_most));
    for (const auto& item : *recent) {
      if (f.recent.size() == recent_most) break;
      if (!read_past_game(item, f.recent.emplace_back()))
        fields.complain(fmt::format("recent[{}]", f.recent.size() - 1), "is not a game of 9 numbers in range");
    }
  }
  f.completeness = on_grid(fields.number("completeness", 0, 1));
  f.quality = on_grid(fields.number("quality", 0, 100));
  f.expected_games = whole("expected_games");
  f.actual_games = whole("actual_games");
  f.data_hash = fields.text("data_hash");
  if (!fields.wrong().empty()) return fail(Errc::data_loss, "features: " + fields.wrong());
  return f;
}

std::optional<double> own_line(const Features& features) {
  std::vector<double> values;
  for (const PastGame& game : features.recent) {
    if (values.size() == 20) break;
    values.push_back(game.value);
  }
  if (values.empty()) return std::nullopt;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace serin::fleet
