// serin-fleet load, pipeline and grade: what happens on a game date, on request.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>
#include <memory>

#include "files.hpp"
#include "serin/base/text.hpp"
#include "serin/fleet_databases/databases.hpp"
#include "serin/fleet_pipeline/eligible.hpp"
#include "serin/fleet_pipeline/grading.hpp"
#include "serin/fleet_pipeline/load.hpp"
#include "serin/fleet_pipeline/schema.hpp"
#include "serin/http/session.hpp"
#include "serin/system/environment.hpp"
#include "serin/system/random.hpp"
#include "verbs.hpp"

namespace serin::fleet {
namespace {

namespace json = boost::json;

constexpr Duration work_timeout = 90s;
constexpr Duration poll_every = 100ms;
constexpr std::size_t shown_players = 200;

struct PipelineFlags {
  std::string warehouse;
  GameFiles files;
  std::string date;
  std::vector<std::string> urls;
  bool json = false;
};

/// A warehouse, and what it is reached through.
struct Warehouse {
  explicit Warehouse(Sleeper& sleeper)
      : http(sleeper), databases({.http = http, .sleeper = sleeper, .random = random}, Environment::of_process()) {}
  http::Session http;
  SystemRandom random;
  Databases databases;
  OpenedWarehouse opened;
  Sql& operator*() const { return *opened.sql; }
};

/// With its tables as they have to be.
Result<std::unique_ptr<Warehouse>> ready_warehouse(Console& console, const std::string& url) {
  auto warehouse = std::make_unique<Warehouse>(console.sleeper);
  SERIN_TRY(warehouse->opened, warehouse->databases.warehouse(url));
  SERIN_CHECK(prepare_warehouse(**warehouse, console.sleeper, Deadline::after(console.sleeper.now(), work_timeout)));
  return warehouse;
}

Result<LoadReport> load(Console& console, const PipelineFlags& flags) {
  SERIN_TRY(const std::unique_ptr<Warehouse> warehouse, ready_warehouse(console, flags.warehouse));
  std::string notice;
  SERIN_TRY(const League league, read_league(flags.files, notice));
  if (!notice.empty()) console.err(notice + "\n");
  return load_season(**warehouse, league, console.sleeper.wall(), Deadline::after(console.sleeper.now(), work_timeout));
}

/// The services of a fleet, by name.
class Services {
 public:
  static Result<Services> make(Console& console, const std::vector<std::string>& urls) {
    Services services(console);
    for (const std::string& entry : urls) {
      const std::size_t equals = entry.find('=');
      if (equals == std::string::npos)
        return fail(Errc::invalid_argument, fmt::format("--url must be SERVICE=URL, not '{}'", entry));
      services.urls_[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
    return services;
  }
  /// The JSON of an answer with one of the expected statuses. Errors: unavailable, with what the service said.
  Result<json::object> call(const std::string& service, std::string method, std::string target,
                            const json::object& body, std::initializer_list<int> expected, int* status = nullptr) {
    const auto url = urls_.find(service);
    if (url == urls_.end()) return fail(Errc::invalid_argument, fmt::format("--url {}=... is missing", service));
    HttpRequest request{
        .method = std::move(method), .target = std::move(target), .headers = {}, .body = {}, .peer = {}};
    if (!body.empty()) {
      request.body = json::serialize(body);
      request.headers.set("Content-Type", "application/json");
    }
    const std::string what = fmt::format("{}: {} {}", service, request.method, request.target);
    SERIN_TRY(const HttpResponse response,
              http_->send(url->second, std::move(request), Deadline::after(console_.sleeper.now(), work_timeout)));
    if (std::ranges::find(expected, response.status) == expected.end())
      return fail(Errc::unavailable,
                  fmt::format("{} answered {}: {}", what, response.status, response.body.substr(0, 500)));
    if (status != nullptr) *status = response.status;
    boost::system::error_code error;
    json::value value = json::parse(response.body, error);
    if (error || !value.is_object()) return fail(Errc::data_loss, fmt::format("{} answered no JSON object", what));
    return std::move(value.as_object());
  }

 private:
  explicit Services(Console& console) : console_(console), http_(std::make_unique<http::Session>(console.sleeper)) {}
  Console& console_;
  std::unique_ptr<http::Session> http_;
  std::map<std::string, std::string> urls_;
};

std::string text_at(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// Waits until the newest batch of the date, made after `before`, is done with.
Result<json::object> wait_for_batch(Console& console, Services& services, const std::string& date,
                                    const std::string& before) {
  const Deadline until = Deadline::after(console.sleeper.now(), work_timeout);
  std::string last = "no batch was started";
  for (;;) {
    SERIN_TRY(const json::object answer,
              services.call("prediction-coordinator", "GET", "/status?game_date=" + date, {}, {200}));
    const json::array& batches = answer.at("batches").as_array();
    if (!batches.empty() && text_at(batches.front().as_object(), "batch_id") != before) {
      const json::object& newest = batches.front().as_object();
      const std::string state = text_at(newest, "state");
      if (state == "closed") return newest;
      last = json::serialize(newest);
      if (state == "failed" || state == "superseded")
        return fail(Errc::unavailable, fmt::format("the batch is {}: {}", state, last));
    }
    if (until.passed(console.sleeper.now()))
      return fail(Errc::deadline_exceeded, fmt::format("the predictions of {} are not complete after {}: {}", date,
                                                       format_duration(work_timeout), last));
    SERIN_CHECK(console.sleeper.sleep_for(poll_every));
  }
}

Result<std::string> newest_batch(Services& services, const std::string& date) {
  SERIN_TRY(const json::object answer,
            services.call("prediction-coordinator", "GET", "/status?game_date=" + date, {}, {200}));
  const json::array& batches = answer.at("batches").as_array();
  return batches.empty() ? std::string() : text_at(batches.front().as_object(), "batch_id");
}

Result<std::string> first_date(Sql& sql, Deadline deadline) {
  SERIN_TRY(const SqlTable table, sql.query("SELECT MIN(game_date) FROM games", {}, deadline));
  const auto* date = std::get_if<std::string>(&table.rows.at(0).at(0));
  if (date == nullptr) return fail(Errc::not_found, "no game is loaded; serin-fleet load writes a season");
  return *date;
}

Result<json::array> predicted_players(Sql& sql, const std::string& date, Deadline deadline) {
  SERIN_TRY(const SqlTable table, sql.query("SELECT DISTINCT player_id FROM predictions WHERE game_date = $1 AND sport "
                                            "= 'nba' ORDER BY player_id LIMIT $2",
                                            {date, static_cast<std::int64_t>(shown_players)}, deadline));
  json::array players;
  for (const SqlRow& row : table.rows) players.emplace_back(std::get<std::string>(row.at(0)));
  return players;
}

Result<json::object> pipeline(Console& console, const PipelineFlags& flags) {
  SERIN_TRY(const std::unique_ptr<Warehouse> warehouse, ready_warehouse(console, flags.warehouse));
  SERIN_TRY(Services services, Services::make(console, flags.urls));
  const Deadline deadline = Deadline::after(console.sleeper.now(), 4 * work_timeout);
  std::string date = flags.date;
  if (date.empty()) {
    SERIN_TRY(date, busy_date(**warehouse, deadline));
  }
  SERIN_CHECK(parse_date(date));
  SERIN_TRY(const std::string from, first_date(**warehouse, deadline));
  SERIN_TRY(const std::string before, newest_batch(services, date));
  // A person asks for the first step; the bus carries the date through the others.
  SERIN_TRY(const json::object analytics, services.call("analytics-processor", "POST", "/process-date-range",
                                                        {{"start_date", from}, {"end_date", date}}, {200}));
  if (text_at(analytics, "status") != "completed")
    return fail(Errc::unavailable, fmt::format("analytics: {}", json::serialize(analytics)));
  SERIN_TRY(const json::object batch, wait_for_batch(console, services, date, before));
  int mlb_status = 0;
  SERIN_TRY(json::object mlb,
            services.call("mlb-worker", "POST", "/predict-batch", {{"game_date", date}}, {200, 404}, &mlb_status));
  if (mlb_status == 404) mlb = {{"predicted", 0}, {"note", "no starting pitcher is announced for that date"}};
  SERIN_TRY(const GradeReport grades, grade(**warehouse, date, console.sleeper.wall(), deadline));
  SERIN_TRY(const CoverageFacts facts, coverage_facts(**warehouse, Sport::nba, date, deadline));
  SERIN_TRY(json::array players, predicted_players(**warehouse, date, deadline));
  const Judgement coverage = judge_coverage(facts);
  const auto share = coverage_share(facts);
  return json::object{
      {"game_date", date},
      {"batch_id", text_at(batch, "batch_id")},
      {"eligible", facts.eligible},
      {"predictions", facts.predicted},
      {"coverage_percent", share ? json::value(std::round(1000 * *share) / 10) : json::value(nullptr)},
      {"coverage", json::string(verdict_name(coverage.verdict).data(), verdict_name(coverage.verdict).size())},
      {"mlb", std::move(mlb)},
      {"graded", grades.graded},
      {"void", grades.voided},
      {"grades", json::parse(to_json(grades)).at("models")},
      {"players", std::move(players)}};
}

Result<GradeReport> grade_date(Console& console, const PipelineFlags& flags) {
  SERIN_CHECK(parse_date(flags.date));
  SERIN_TRY(const std::unique_ptr<Warehouse> warehouse, ready_warehouse(console, flags.warehouse));
  return grade(**warehouse, flags.date, console.sleeper.wall(), Deadline::after(console.sleeper.now(), work_timeout));
}

std::string grades_text(const GradeReport& report) {
  std::string out = fmt::format("{}: {} graded, {} void, {} pending\n", report.game_date, report.graded, report.voided,
                                report.pending);
  for (const GradedModel& model : report.models)
    out += fmt::format("  {} {:<18} {:>5} graded, mean error {}, {} right, {} wrong\n", model.sport, model.system_id,
                       model.graded, model.graded > 0 ? fmt::format("{:.2f}", model.absolute_error) : "unknown",
                       model.right, model.wrong);
  return out;
}

std::string pipeline_text(const json::object& report) {
  return fmt::format("{}: batch {} closed, {} of {} eligible players predicted (coverage {}), {} predictions graded\n",
                     text_at(report, "game_date"), text_at(report, "batch_id"), report.at("predictions").as_int64(),
                     report.at("eligible").as_int64(), text_at(report, "coverage"), report.at("graded").as_int64());
}

}  // namespace

void add_pipeline_verbs(CLI::App& app, Console& console) {
  auto flags = std::make_shared<PipelineFlags>();
  const auto common = [flags](CLI::App& verb) {
    verb.add_option("--warehouse", flags->warehouse, "sqlite:PATH or postgres://user@host/database")->required();
    verb.add_flag("--json", flags->json, "Print one JSON document");
  };
  CLI::App* load_verb =
      app.add_subcommand("load", "Write games and raw rows into the warehouse: files, or the simulated league");
  common(*load_verb);
  load_verb->add_option("--nba", flags->files.nba, "NBA player games, a CSV file, may be .gz");
  load_verb->add_option("--mlb", flags->files.mlb, "Retrosheet game logs, may be .gz; more than one is fine");
  load_verb->callback([flags, &console] {
    const Result<LoadReport> report = load(console, *flags);
    if (!report) return console.fail_with(report.error());
    console.out(flags->json ? to_json(*report) + "\n"
                            : fmt::format("{} games from {} to {}: {} player games, {} pitcher games, {} players\n",
                                          report->games, report->first_date, report->last_date, report->player_games,
                                          report->pitcher_games, report->players));
  });

  CLI::App* pipeline_verb = app.add_subcommand("pipeline", "Run a game date through the services, and grade it");
  common(*pipeline_verb);
  pipeline_verb->add_option("--date", flags->date, "2026-01-21 (default: a busy date near the end of the last season)");
  pipeline_verb->add_option("--url", flags->urls, "SERVICE=URL, for each service; `serin status` shows them")
      ->required();
  pipeline_verb->callback([flags, &console] {
    const Result<json::object> report = pipeline(console, *flags);
    if (!report) return console.fail_with(report.error());
    console.out(flags->json ? json::serialize(*report) + "\n" : pipeline_text(*report));
    if (text_at(*report, "coverage") == verdict_name(Verdict::fail)) console.exit_code = 1;
  });

  CLI::App* grade_verb = app.add_subcommand("grade", "Compare a date's predictions with what was played");
  common(*grade_verb);
  grade_verb->add_option("--date", flags->date, "2026-01-21")->required();
  grade_verb->callback([flags, &console] {
    const Result<GradeReport> report = grade_date(console, *flags);
    if (!report) return console.fail_with(report.error());
    console.out(flags->json ? to_json(*report) + "\n" : grades_text(*report));
  });
}

}  // namespace serin::fleet
