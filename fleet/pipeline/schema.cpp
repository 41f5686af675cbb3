#include "serin/fleet_pipeline/schema.hpp"

#include <fmt/format.h>

#include <string>

#include "serin/base/text.hpp"

namespace serin::fleet {
namespace {

// What was loaded, as it came: nothing but load_season writes these.
constexpr std::string_view games = R"sql(
CREATE TABLE games(
  game_id TEXT PRIMARY KEY, sport TEXT NOT NULL, game_date TEXT NOT NULL, season TEXT NOT NULL,
  home_team TEXT NOT NULL, away_team TEXT NOT NULL,
  status TEXT NOT NULL,
  loaded_at INTEGER NOT NULL))sql";
constexpr std::string_view players = R"sql(
CREATE TABLE players(player_id TEXT PRIMARY KEY, sport TEXT NOT NULL, name TEXT NOT NULL))sql";
constexpr std::string_view raw_player_games = R"sql(
CREATE TABLE raw_player_games(
  player_id TEXT NOT NULL, game_id TEXT NOT NULL, game_date TEXT NOT NULL, season TEXT NOT NULL,
  team TEXT NOT NULL, opponent TEXT NOT NULL, home INTEGER NOT NULL, minutes REAL NOT NULL,
  points INTEGER NOT NULL, rebounds INTEGER NOT NULL, assists INTEGER NOT NULL, steals INTEGER NOT NULL,
  blocks INTEGER NOT NULL, turnovers INTEGER NOT NULL, fouls INTEGER NOT NULL,
  field_goals_made INTEGER NOT NULL, field_goals_tried INTEGER NOT NULL, threes_made INTEGER NOT NULL,
  threes_tried INTEGER NOT NULL, free_throws_made INTEGER NOT NULL, free_throws_tried INTEGER NOT NULL,
  plus_minus INTEGER NOT NULL, won INTEGER NOT NULL, loaded_at INTEGER NOT NULL,
  PRIMARY KEY(game_id, player_id)) WITHOUT ROWID)sql";
constexpr std::string_view raw_pitcher_games = R"sql(
CREATE TABLE raw_pitcher_games(
  player_id TEXT NOT NULL, game_id TEXT NOT NULL, game_date TEXT NOT NULL, season TEXT NOT NULL,
  team TEXT NOT NULL, opponent TEXT NOT NULL, home INTEGER NOT NULL, strikeouts INTEGER NOT NULL,
  walks INTEGER NOT NULL, hits INTEGER NOT NULL, runs INTEGER NOT NULL, outs INTEGER NOT NULL,
  pitchers_used INTEGER NOT NULL, loaded_at INTEGER NOT NULL,
  PRIMARY KEY(game_id, player_id)) WITHOUT ROWID)sql";

// What analytics makes.
constexpr std::string_view player_game_summary = R"sql(
CREATE TABLE player_game_summary(
  player_id TEXT NOT NULL, game_id TEXT NOT NULL, game_date TEXT NOT NULL, season TEXT NOT NULL,
  team TEXT NOT NULL, opponent TEXT NOT NULL, home INTEGER NOT NULL, minutes REAL NOT NULL,
  points INTEGER NOT NULL, rebounds INTEGER NOT NULL, assists INTEGER NOT NULL, steals INTEGER NOT NULL,
  blocks INTEGER NOT NULL, turnovers INTEGER NOT NULL, plus_minus INTEGER NOT NULL, loaded_at INTEGER NOT NULL,
  PRIMARY KEY(player_id, game_id)) WITHOUT ROWID)sql";
constexpr std::string_view pitcher_game_summary = R"sql(
CREATE TABLE pitcher_game_summary(
  player_id TEXT NOT NULL, game_id TEXT NOT NULL, game_date TEXT NOT NULL, season TEXT NOT NULL,
  team TEXT NOT NULL, opponent TEXT NOT NULL, home INTEGER NOT NULL, strikeouts INTEGER NOT NULL,
  walks INTEGER NOT NULL, hits INTEGER NOT NULL, runs INTEGER NOT NULL, outs INTEGER NOT NULL,
  loaded_at INTEGER NOT NULL,
  PRIMARY KEY(player_id, game_id)) WITHOUT ROWID)sql";
// line_source: 'market', or 'own' (median of the last 20 games); only a market line makes a player eligible.
constexpr std::string_view upcoming = R"sql(
CREATE TABLE upcoming_player_game_context(
  player_id TEXT NOT NULL, game_id TEXT NOT NULL, game_date TEXT NOT NULL, sport TEXT NOT NULL, season TEXT NOT NULL,
  team TEXT NOT NULL, opponent TEXT NOT NULL, home INTEGER NOT NULL, days_rest INTEGER,
  line REAL, line_source TEXT, avg_minutes_last_7 REAL, history_games INTEGER NOT NULL,
  status TEXT NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY(player_id, game_id)) WITHOUT ROWID)sql";

// What precompute makes. With a rowid, because the features are long.
constexpr std::string_view ml_feature_store = R"sql(
CREATE TABLE ml_feature_store(
  player_id TEXT NOT NULL, game_id TEXT NOT NULL, game_date TEXT NOT NULL, sport TEXT NOT NULL,
  feature_version INTEGER NOT NULL, features TEXT NOT NULL, completeness REAL NOT NULL, quality REAL NOT NULL,
  expected_games INTEGER NOT NULL, actual_games INTEGER NOT NULL, data_hash TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE(player_id, game_date, game_id)))sql";

// What the workers make. staging_id orders arrivals: a merge takes what was there when it began.
constexpr std::string_view predictions_staging = R"sql(
CREATE TABLE predictions_staging(
  staging_id INTEGER PRIMARY KEY AUTOINCREMENT, prediction_id TEXT NOT NULL UNIQUE, batch_id TEXT NOT NULL,
  sport TEXT NOT NULL, system_id TEXT NOT NULL, player_id TEXT NOT NULL, game_id TEXT NOT NULL,
  game_date TEXT NOT NULL, predicted REAL NOT NULL, confidence REAL NOT NULL, recommendation TEXT NOT NULL,
  line REAL NOT NULL, model_version TEXT NOT NULL, created_at INTEGER NOT NULL))sql";
constexpr std::string_view predictions = R"sql(
CREATE TABLE predictions(
  prediction_id TEXT NOT NULL, batch_id TEXT NOT NULL,
  sport TEXT NOT NULL, system_id TEXT NOT NULL, player_id TEXT NOT NULL, game_id TEXT NOT NULL,
  game_date TEXT NOT NULL, predicted REAL NOT NULL, confidence REAL NOT NULL, recommendation TEXT NOT NULL,
  line REAL NOT NULL, model_version TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY(system_id, player_id, game_id)) WITHOUT ROWID)sql";
// The highest fencing token that a merge of the date was made with: a late lock holder's token is lower.
constexpr std::string_view merge_fences = R"sql(
CREATE TABLE merge_fences(game_date TEXT PRIMARY KEY, token INTEGER NOT NULL))sql";
// side: 'right', 'wrong', 'push' (ended on the line), 'pass' (no side taken), 'void' (did not play).
constexpr std::string_view prediction_accuracy = R"sql(
CREATE TABLE prediction_accuracy(
  system_id TEXT NOT NULL, player_id TEXT NOT NULL, game_id TEXT NOT NULL, game_date TEXT NOT NULL,
  sport TEXT NOT NULL, predicted REAL NOT NULL, line REAL NOT NULL, recommendation TEXT NOT NULL,
  actual REAL, absolute_error REAL, side TEXT NOT NULL, graded_at INTEGER NOT NULL,
  PRIMARY KEY(system_id, player_id, game_id)) WITHOUT ROWID)sql";

constexpr std::string_view processor_runs = R"sql(
CREATE TABLE processor_runs(
  run_id TEXT NOT NULL, processor TEXT NOT NULL, game_date TEXT NOT NULL, status TEXT NOT NULL,
  started_at INTEGER NOT NULL, finished_at INTEGER NOT NULL, rows INTEGER NOT NULL, revision TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY(run_id, processor)) WITHOUT ROWID)sql";
constexpr std::string_view validation_results = R"sql(
CREATE TABLE validation_results(
  run_id TEXT NOT NULL, check_id TEXT NOT NULL, outcome TEXT NOT NULL, value REAL, limits TEXT NOT NULL,
  rows INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(run_id, check_id)) WITHOUT ROWID)sql";

}  // namespace

const std::vector<warehouse::Migration>& schema_steps() {
  static const std::vector<warehouse::Migration> steps = {
      {"fleet_tables",
       {games,
        players,
        raw_player_games,
        raw_pitcher_games,
        player_game_summary,
        pitcher_game_summary,
        upcoming,
        ml_feature_store,
        predictions_staging,
        predictions,
        merge_fences,
        prediction_accuracy,
        processor_runs,
        validation_results,
        "CREATE INDEX games_by_date ON games(game_date, sport)",
        "CREATE INDEX raw_player_games_by_date ON raw_player_games(game_date)",
        "CREATE INDEX raw_pitcher_games_by_date ON raw_pitcher_games(game_date)",
        "CREATE INDEX player_game_summary_by_date ON player_game_summary(game_date)",
        "CREATE INDEX pitcher_game_summary_by_date ON pitcher_game_summary(game_date)",
        "CREATE INDEX upcoming_by_date ON upcoming_player_game_context(game_date, sport)",
        "CREATE INDEX ml_feature_store_by_date ON ml_feature_store(game_date, sport)",
        "CREATE INDEX ml_feature_store_by_update ON ml_feature_store(updated_at)",
        "CREATE INDEX predictions_staging_by_date ON predictions_staging(game_date, staging_id)",
        "CREATE INDEX predictions_staging_by_batch ON predictions_staging(batch_id, player_id)",
        "CREATE INDEX predictions_by_date ON predictions(game_date, sport, player_id)",
        "CREATE INDEX predictions_by_batch ON predictions(batch_id, player_id)",
        "CREATE INDEX prediction_accuracy_by_date ON prediction_accuracy(game_date, sport)",
        "CREATE INDEX processor_runs_by_date ON processor_runs(processor, game_date, finished_at)",
        "CREATE INDEX validation_results_by_time ON validation_results(at)"}},
  };
  return steps;
}

namespace {

/// "SELECT a, b FROM t LIMIT 0" for "CREATE TABLE t(a TEXT, b INTEGER, PRIMARY KEY(a)) ...": only for our own steps.
struct Probe {
  std::string table;
  std::string select;
};
Probe probe_of(std::string_view create) {
  constexpr std::string_view verb = "CREATE TABLE ";
  const std::size_t open = create.find('(');
  const std::size_t name = create.find(verb) + verb.size();
  Probe probe{.table = std::string(create.substr(name, open - name)), .select = {}};
  const std::string_view body = create.substr(open + 1, create.rfind(')') - open - 1);
  for (const std::string_view part : split(body, ',')) {
    const std::string_view column = trim(part).substr(0, trim(part).find_first_of(" ("));
    // A key's own list of columns is cut at its commas too: from there on no new column comes.
    if (column == "PRIMARY" || column == "UNIQUE") break;
    probe.select += fmt::format("{}{}", probe.select.empty() ? "" : ", ", column);
  }
  probe.select = fmt::format("SELECT {} FROM {} LIMIT 0", probe.select, probe.table);
  return probe;
}

std::vector<Probe> all_probes() {
  std::vector<Probe> probes;
  for (const warehouse::Migration& step : schema_steps())
    for (const std::string_view statement : step.statements)
      if (trim(statement).starts_with("CREATE TABLE ")) probes.push_back(probe_of(statement));
  return probes;
}

}  // namespace

Status check_columns(Sql& sql, Deadline deadline) {
  for (const Probe& probe : all_probes())
    if (const auto asked = sql.query(probe.select, {}, deadline); !asked)
      return pass(asked.error().in(fmt::format("table {}", probe.table)));
  return {};
}

Status prepare_warehouse(Sql& sql, const Clock& clock, Deadline deadline) {
  return warehouse::migrate(sql, "fleet", schema_steps(), clock, deadline);
}

}  // namespace serin::fleet
