#include "serin/fleet_models/model_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "formulas.hpp"
#include "json_fields.hpp"

namespace serin::fleet {
namespace {

constexpr std::string_view format_name = "serin-fleet-models/1";
constexpr double any = 1e6;

/// Reads one model's object: every field is required, none is unknown.
template <class Read>
void read_object(Fields& parent, std::string_view name, const Read& read) {
  Fields fields(parent.object(name), parent.full_name(name));
  read(fields);
  fields.refuse_others();
  if (!fields.wrong().empty()) parent.complain(std::string(fields.wrong()));
}

SportParameters read_sport(Fields& fields) {
  SportParameters p;
  read_object(fields, "moving_average", [&](Fields& f) {
    auto& m = p.moving_average;
    m.last_5 = f.number("last_5", 0, any);
    m.last_10 = f.number("last_10", 0, any);
    m.season = f.number("season", 0, any);
    m.shrink_games = f.number("shrink_games", 0, any);
    m.home = f.number("home", 0, 2);
    m.opponent = f.number("opponent", 0, 2);
    m.tired = f.number("tired", 0, any);
    if (f.wrong().empty() && m.last_5 + m.last_10 + m.season <= 0)
      f.complain("last_5", "and last_10 and season are all 0");
  });
  read_object(fields, "opponent_adjusted", [&](Fields& f) {
    auto& m = p.opponent_adjusted;
    m.half_life = f.number("half_life", 0.1, any);
    m.rate_half_life = f.number("rate_half_life", 0.1, any);
    m.minutes_half_life = f.number("minutes_half_life", 0.1, any);
    m.by_minutes = f.number("by_minutes", 0, 1);
    m.other_season = f.number("other_season", 0, 1);
    m.shrink_games = f.number("shrink_games", 0, any);
    m.league = f.number("league", 0, 1);
    m.home = f.number("home", 0, 2);
    m.opponent = f.number("opponent", 0, 2);
    m.team = f.number("team", 0, 2);
    m.park = f.number("park", 0, 2);
  });
  read_object(fields, "similarity", [&](Fields& f) {
    auto& m = p.similarity;
    m.age = f.number("age", 0.1, any);
    m.home = f.number("home", 0, any);
    m.rest = f.number("rest", 0, any);
    m.opponent = f.number("opponent", 0, any);
    m.shrink_games = f.number("shrink_games", 0, any);
  });
  read_object(fields, "ensemble", [&](Fields& f) {
    auto& m = p.ensemble;
    m.moving_average = f.number("moving_average", 0, 1);
    m.opponent_adjusted = f.number("opponent_adjusted", 0, 1);
    m.similarity = f.number("similarity", 0, 1);
    if (f.wrong().empty() && m.moving_average + m.opponent_adjusted + m.similarity <= 0)
      f.complain("moving_average", "and opponent_adjusted and similarity are all 0");
  });
  p.pass_below = fields.number("pass_below", 0, any);
  return p;
}

double value_of(std::string_view model, const Features& f, const SportParameters& p) {
  if (model == "moving_average") return moving_average(f, p.moving_average);
  if (model == "opponent_adjusted") return opponent_adjusted(f, p.opponent_adjusted);
  if (model == "similarity") return similarity(f, p.similarity);
  const EnsembleParameters& w = p.ensemble;
  return (w.moving_average * moving_average(f, p.moving_average) +
          w.opponent_adjusted * opponent_adjusted(f, p.opponent_adjusted) +
          w.similarity * similarity(f, p.similarity)) /
         (w.moving_average + w.opponent_adjusted + w.similarity);
}

bool is_finite(const Features& f) {
  const auto finite = [](double x) { return std::isfinite(x); };
  return std::ranges::all_of(std::array{f.season_mean, f.season_minutes, f.career_mean, f.career_minutes, f.prior_mean,
                                        f.league_mean, f.league_home_edge, f.opponent_edge, f.team_edge, f.park_edge},
                             finite) &&
         std::ranges::all_of(f.recent, [&](const PastGame& g) {
           return finite(g.minutes) && finite(g.volume) && finite(g.value) && finite(g.opponent) && finite(g.park);
         });
}

/// Share of a normal distribution below z spreads above its mean.
double below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

Features trial(Sport sport) {
  Features f{.sport = sport, .player_id = "trial", .game_id = "trial", .season = "trial", .team = "A", .opponent = "B"};
  f.season_games = f.career_games = 3;
  f.season_mean = f.career_mean = f.league_mean = 10;
  f.season_minutes = f.career_minutes = 30;
  for (int i = 0; i < 3; ++i)
    f.recent.push_back({.date = -i, .rest_days = 2, .minutes = 30, .volume = 10, .value = 9.0 + i});
  return f;
}

}  // namespace

std::string_view recommendation_name(Recommendation recommendation) noexcept {
  switch (recommendation) {
    case Recommendation::over: return "OVER";
    case Recommendation::under: return "UNDER";
    case Recommendation::pass: return "PASS";
  }
  return "PASS";
}

std::optional<double> naive_baseline(const Features& features) {
  if (features.season_games > 0) return features.season_mean;
  if (features.career_games > 0) return features.career_mean;
  return std::nullopt;
}

Result<ModelSet> ModelSet::load(std::string_view text) {
  const auto parsed = parse_json_object(text);
  if (!parsed) return pass(parsed.error().in("the model file"));
  Fields fields(&*parsed, "");
  const std::string format = fields.text("format");
  if (fields.wrong().empty() && format != format_name)
    return fail(Errc::unsupported,
                fmt::format("the model file has the format '{}', this program reads '{}'", format, format_name));
  ModelSet set;
  set.version_ = fields.text("version");
  read_object(fields, "nba", [&](Fields& f) { set.nba_ = read_sport(f); });
  read_object(fields, "mlb", [&](Fields& f) { set.mlb_ = read_sport(f); });
  fields.refuse_others();
  if (!fields.wrong().empty()) return fail(Errc::data_loss, "the model file: " + fields.wrong());
  for (const Sport sport : {Sport::nba, Sport::mlb})
    for (const std::string_view name : names) {
      const Result<Prediction> tried = set.predict(name, trial(sport));
      if (!tried) return pass(tried.error().in("the model file's trial prediction"));
    }
  return set;
}

Result<Prediction> ModelSet::predict(std::string_view model, const Features& features,
                                     std::optional<double> line) const {
  if (std::ranges::find(names, model) == names.end())
    return fail(Errc::not_found, fmt::format("there is no model '{}'", model));
  if (features.career_games < 1 || features.recent.empty())
    return fail(Errc::invalid_argument, fmt::format("player {} has no game to go by", features.player_id));
  if (!is_finite(features))
    return fail(Errc::invalid_argument,
                fmt::format("the features of player {} hold a number that is not finite", features.player_id));
  const SportParameters& p = parameters(features.sport);
  Prediction out{.model = std::string(model), .line = line.value_or(own_line(features).value_or(0))};
  out.value = std::max(0.0, value_of(model, features, p));
  if (!std::isfinite(out.value)) return fail(Errc::internal, fmt::format("model {} gave no finite number", model));
  const double away = (out.value - out.line) / spread_of(features);
  // Ten games make it half as sure of itself as many would.
  const double known = static_cast<double>(features.career_games) / (features.career_games + 10.0);
  out.confidence = 100 * below(std::abs(away)) * known;
  if (std::abs(away) >= p.pass_below) out.recommendation = away > 0 ? Recommendation::over : Recommendation::under;
  return out;
}

}  // namespace serin::fleet
