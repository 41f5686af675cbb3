// serin-fleet accuracy: the mean absolute error of each model and of the naive baseline, walking forward in time.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "files.hpp"
#include "serin/fleet_models/accuracy.hpp"
#include "serin/system/files.hpp"
#include "verbs.hpp"

namespace serin::fleet {
namespace {

namespace json = boost::json;

struct AccuracyFlags {
  GameFiles files;
  std::string models;
  std::vector<std::string> seasons;
  bool json = false;
};

struct Measured {
  std::vector<AccuracyReport> sports;
  std::string notice;
};

Result<Measured> measure(const AccuracyFlags& flags) {
  Measured out;
  std::string file(ModelSet::default_file());
  if (!flags.models.empty()) {
    SERIN_TRY(file, read_file(flags.models));
  }
  SERIN_TRY(const ModelSet models, ModelSet::load(file));
  SERIN_TRY(const League league, read_league(flags.files, out.notice));
  AccuracyOptions options;
  options.seasons = flags.seasons;
  for (const Sport sport : {Sport::nba, Sport::mlb}) {
    const History history(sport, sport == Sport::nba ? appearances(league.players) : appearances(league.pitchers));
    if (history.games().empty()) continue;
    SERIN_TRY(AccuracyReport report, measure_accuracy(history, models, options));
    out.sports.push_back(std::move(report));
  }
  return out;
}

std::string text_of(const Measured& measured) {
  std::string out;
  for (const AccuracyReport& report : measured.sports) {
    const bool nba = report.sport == Sport::nba;
    out += fmt::format("{} ({} a game)\n  {:<9} {:>11} {:<18} {:>10} {:>12} {:>11}\n", nba ? "NBA" : "MLB",
                       nba ? "points of a player" : "strikeouts of a team's pitchers", "season", "predictions", "model",
                       "mean error", "improvement", "side right");
    for (const SeasonScore& season : report.seasons)
      for (const ModelScore& model : season.models)
        out += fmt::format("  {:<9} {:>11} {:<18} {:>10.4f} {:>11.2f}% {:>11}\n", season.season, season.predictions,
                           model.model, model.absolute_error, model.improvement,
                           model.sides > 0 ? fmt::format("{:.1f} %", 100 * model.side_right) : "");
    out += fmt::format("  the ensemble {} the naive baseline\n\n",
                       report.ensemble_beats_baseline() ? "beats" : "does NOT beat");
  }
  if (!measured.notice.empty()) out += measured.notice + "\n";
  return out;
}

std::string json_of(const Measured& measured) {
  json::array sports;
  for (const AccuracyReport& report : measured.sports) {
    json::array seasons;
    for (const SeasonScore& season : report.seasons) {
      json::array models;
      for (const ModelScore& model : season.models)
        models.push_back({{"model", model.model},
                          {"mean_absolute_error", model.absolute_error},
                          {"improvement_percent", model.improvement},
                          {"sides", model.sides},
                          {"side_right", model.side_right}});
      seasons.push_back(
          {{"season", season.season}, {"predictions", season.predictions}, {"models", std::move(models)}});
    }
    sports.push_back({{"sport", sport_name(report.sport)},
                      {"ensemble_beats_baseline", report.ensemble_beats_baseline()},
                      {"seasons", std::move(seasons)}});
  }
  return json::serialize(json::object{{"sports", std::move(sports)}, {"notice", measured.notice}}) + "\n";
}

}  // namespace

void add_accuracy_verb(CLI::App& app, Console& console) {
  auto flags = std::make_shared<AccuracyFlags>();
  CLI::App* verb =
      app.add_subcommand("accuracy", "Mean absolute error of each model and of the naive baseline, season by season");
  verb->add_option("--nba", flags->files.nba, "NBA player games, a CSV file, may be .gz");
  verb->add_option("--mlb", flags->files.mlb, "Retrosheet game logs, may be .gz; more than one is fine");
  verb->add_option("--models", flags->models, "A model file (default: the one that is shipped)");
  verb->add_option("--season", flags->seasons, "Only these seasons");
  verb->add_flag("--json", flags->json, "Print one JSON document");
  verb->footer("Without files the simulated league is measured. Exit code 1: an ensemble does not beat the baseline.");
  verb->callback([flags, &console] {
    const Result<Measured> measured = measure(*flags);
    if (!measured) return console.fail_with(measured.error());
    console.out(flags->json ? json_of(*measured) : text_of(*measured));
    for (const AccuracyReport& report : measured->sports)
      if (!report.ensemble_beats_baseline()) console.exit_code = 1;
  });
}

}  // namespace serin::fleet
