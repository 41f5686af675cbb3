#include "verb_demo.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "program.hpp"
#include "serin/load/load.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

struct DemoOptions {
  std::string nba;
  std::string mlb;
  double requests_per_second = 300;
  bool json = false;
  bool keep = false;
};

/// What one release came to, as `serin deploy --json` told it.
struct ReleaseOutcome {
  std::string release;
  int exit_code = 0;
  json::object report;
  std::int64_t user_requests = 0;  ///< of the load generator, while the rollout ran
  std::int64_t user_failures = 0;
  std::vector<load::FailedRequest> failures;
};

/// Text of a member, "" when it is not there.
std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return "";
  if (value->is_number()) return fmt::format("{:.6g}", value->to_number<double>());
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

/// A number of seconds, or nothing when it is null or absent.
std::optional<double> seconds_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

/// One run of the demo. What it started it also ends: the destructor takes the fleet down on every way out.
class Demo {
 public:
  Demo(VerbContext& context, DemoOptions options)
      : context_(context), options_(std::move(options)), started_(context.sleeper().now()) {}
  ~Demo() { take_down(); }
  Demo(const Demo&) = delete;
  Demo& operator=(const Demo&) = delete;

  Status run() {
    SERIN_CHECK(prepare());
    SERIN_CHECK(start_fleet());
    SERIN_CHECK(run_pipeline());
    SERIN_CHECK(start_traffic());
    SERIN_CHECK(release("v2", "a healthy version"));
    SERIN_CHECK(release("v3-bad", "a version that answers 500 to 5 % of its requests"));
    load_->stop();
    total_ = load_->report();
    take_down();
    return {};
  }
  [[nodiscard]] bool as_expected() const;
  [[nodiscard]] std::string report() const;
  [[nodiscard]] json::object report_json() const;
  void take_down();

 private:
  Status prepare();
  Status start_fleet();
  Status run_pipeline();
  Status start_traffic();
  Status release(const std::string& name, std::string_view what);
  void say(std::string_view text);
  Result<json::object> program(std::vector<std::string> argv, std::initializer_list<int> good = {0});
  [[nodiscard]] std::vector<std::string> serin(std::initializer_list<std::string> words) const;
  [[nodiscard]] std::string fleet_program() const { return bin_ + "/serin-fleet"; }
  [[nodiscard]] std::string warehouse() const { return "sqlite:" + state_ + "/warehouse.db"; }

  VerbContext& context_;
  DemoOptions options_;
  Instant started_;
  std::string bin_;
  std::string fleet_file_;
  std::string state_;
  bool up_ = false;
  std::map<std::string, std::string> urls_;  ///< by service
  json::object loaded_;
  json::object pipeline_;
  std::vector<std::string> previews_;  ///< bodies of the users' requests
  std::unique_ptr<load::Load> load_;
  load::LoadReport total_;
  std::vector<ReleaseOutcome> releases_;
  std::string left_behind_;
};

void Demo::say(std::string_view text) {
  context_.err(fmt::format("[{:6.1f} s] {}\n", seconds_of(context_.sleeper().now() - started_), text));
}

std::vector<std::string> Demo::serin(std::initializer_list<std::string> words) const {
  std::vector<std::string> argv{bin_ + "/serin", "--fleet", fleet_file_, "--state", state_};
  argv.insert(argv.end(), words);
  return argv;
}

Result<json::object> Demo::program(std::vector<std::string> argv, std::initializer_list<int> good) {
  // Ctrl-C ends the program that runs and is noticed here, before the next one starts.
  SERIN_CHECK(context_.sleeper().sleep_for(0s));
  SERIN_TRY(const ProgramResult result, run_program(argv));
  SERIN_CHECK(context_.sleeper().sleep_for(0s));
  if (std::ranges::find(good, result.exit_code) == good.end())
    return fail(Errc::unavailable,
                fmt::format("{} ended with {}; what it said stands above", fmt::join(argv, " "), result.exit_code));
  boost::system::error_code error;
  json::value value = json::parse(result.output, error);
  if (error || !value.is_object())
    return fail(Errc::data_loss,
                fmt::format("{} printed no JSON object: {}", fmt::join(argv, " "), result.output.substr(0, 200)));
  value.as_object()["exit_code"] = result.exit_code;
  return value.as_object();
}

Status Demo::prepare() {
  std::error_code error;
  bin_ = std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
  if (error) return fail(Errc::internal, "cannot find the folder of this program: " + error.message());
  SERIN_TRY(const config::FleetSpec spec, context_.fleet());
  fleet_file_ = spec.file;
  for (const std::string& file : {options_.nba, options_.mlb})
    if (!file.empty() && !std::filesystem::exists(file))
      return fail(Errc::not_found, fmt::format("{} does not exist", file));
  const std::filesystem::path base = std::filesystem::temp_directory_path(error);
  if (error) return fail(Errc::unavailable, "there is no temporary folder: " + error.message());
  state_ = (base / fmt::format("serin-demo-{:08x}", context_.random().next() & 0xffffffff)).string();
  if (!std::filesystem::create_directory(state_, error))
    return fail(Errc::exhausted, fmt::format("cannot make {}: {}", state_, error.message()));
  return {};
}

Status Demo::start_fleet() {
  say("starting six services behind HAProxy");
  up_ = true;  // from here on there may be something to take down
  SERIN_TRY(const json::object up, program(serin({"up", "--json"})));
  SERIN_TRY(const json::object status, program(serin({"status", "--json"})));
  int replicas = 0;
  for (const json::value& service : status.at("services").as_array()) {
    urls_[text_of(service.as_object(), "name")] = text_of(service.as_object(), "url");
    for (const json::value& release : service.at("releases").as_array())
      replicas += static_cast<int>(release.at("replicas").as_array().size());
  }
  say(fmt::format("{} services with {} replicas are ready", urls_.size(), replicas));
  return {};
}

Status Demo::run_pipeline() {
  std::vector<std::string> argv{fleet_program(), "load", "--warehouse", warehouse(), "--json"};
  if (!options_.nba.empty()) argv.insert(argv.end(), {"--nba", options_.nba});
  if (!options_.mlb.empty()) argv.insert(argv.end(), {"--mlb", options_.mlb});
  say(options_.nba.empty() && options_.mlb.empty() ? "loading a season of the simulated league" : "loading real games");
  SERIN_TRY(loaded_, program(std::move(argv)));
  say("running a game date: analytics -> precompute -> coordinator -> workers -> predictions -> grading");
  std::vector<std::string> run{fleet_program(), "pipeline", "--warehouse", warehouse(), "--json"};
  for (const auto& [service, url] : urls_) run.insert(run.end(), {"--url", service + "=" + url});
  SERIN_TRY(pipeline_, program(std::move(run)));
  say(fmt::format("{}: {} predictions for {} eligible players, coverage {} %", text_of(pipeline_, "game_date"),
                  text_of(pipeline_, "predictions"), text_of(pipeline_, "eligible"),
                  text_of(pipeline_, "coverage_percent")));
  for (const json::value& player : pipeline_.at("players").as_array())
    previews_.push_back(json::serialize(
        json::object{{"player_id", player}, {"game_date", pipeline_.at("game_date")}, {"preview", true}}));
  if (previews_.empty()) return fail(Errc::data_loss, "the pipeline made no prediction: there is nothing to ask for");
  return {};
}

Status Demo::start_traffic() {
  load::LoadOptions load{.origin = urls_.at("prediction-worker"), .requests_per_second = options_.requests_per_second};
  load.request = [this](std::uint64_t number) {
    HttpRequest request{.method = "POST", .target = "/predict"};
    request.headers.set("Content-Type", "application/json");
    request.body = previews_[number % previews_.size()];
    return request;
  };
  SERIN_TRY(load_, load::Load::start(std::move(load), context_.http(), context_.sleeper()));
  say(fmt::format("users ask for predictions, {:.0f} a second, until the end", options_.requests_per_second));
  return context_.sleeper().sleep_for(2s);
}

Status Demo::release(const std::string& name, std::string_view what) {
  say(fmt::format("releasing {}: {}", name, what));
  const load::LoadReport before = load_->report();
  SERIN_TRY(json::object report,
            program(serin({"deploy", "prediction-worker", "--release", name, "--json", "--stages", "5,50,95",
                           "--monitoring-duration", "20s", "--min-stage", "6s", "--healthy-absolute", "0.01"}),
                    {0, 1}));
  // What was in flight when the rollout ended is still part of it.
  SERIN_CHECK(context_.sleeper().sleep_for(1s));
  const load::LoadReport after = load_->report();
  ReleaseOutcome outcome{.release = name, .exit_code = static_cast<int>(report.at("exit_code").as_int64())};
  outcome.report = std::move(report);
  outcome.user_requests = after.sent - before.sent;
  outcome.user_failures = after.failed - before.failed;
  outcome.failures.assign(after.failures.begin() + static_cast<std::ptrdiff_t>(before.failures.size()),
                          after.failures.end());
  say(fmt::format("{}: {}, {} of {} user requests failed", name, text_of(outcome.report, "outcome"),
                  outcome.user_failures, outcome.user_requests));
  releases_.push_back(std::move(outcome));
  return {};
}

void Demo::take_down() {
  if (load_) load_->stop();
  if (up_) {
    say("taking the fleet down");
    up_ = false;
    const auto down = run_program(serin({"down", "--json"}));
    if (!down || down->exit_code != 0)
      left_behind_ = fmt::format("serin down did not succeed; look with: serin --state {} status", state_);
  }
  if (state_.empty()) return;
  if (options_.keep || !left_behind_.empty()) {
    say(fmt::format("kept: {}", state_));
  } else {
    std::error_code ignored;
    std::filesystem::remove_all(state_, ignored);
  }
  state_.clear();
}

bool Demo::as_expected() const {
  return releases_.size() == 2 && releases_[0].exit_code == 0 && releases_[0].user_failures == 0 &&
         releases_[1].exit_code == 1 && left_behind_.empty();
}

std::string stage_line(const json::object& stage) {
  return fmt::format("    {:>5} %  {:>6.1f} s  {}\n", text_of(stage, "percent"),
                     seconds_in(stage, "seconds").value_or(0), text_of(stage, "verdict"));
}

std::string release_text(const ReleaseOutcome& outcome) {
  const json::object& report = outcome.report;
  std::string out =
      fmt::format("\n  {}: {}\n    {}\n", outcome.release, text_of(report, "outcome"), text_of(report, "reason"));
  if (const json::value* stages = report.if_contains("stages"); stages != nullptr && stages->is_array())
    for (const json::value& stage : stages->as_array()) out += stage_line(stage.as_object());
  if (const json::value* evidence = report.if_contains("evidence"); evidence != nullptr && evidence->is_object())
    out += fmt::format("    evidence: {}\n", text_of(evidence->as_object(), "text"));
  out += fmt::format("    failed user requests: {} of {}\n", outcome.user_failures, outcome.user_requests);
  std::map<std::string, int> kinds;
  for (const load::FailedRequest& failure : outcome.failures) ++kinds[failure.what];
  for (const auto& [what, count] : kinds) out += fmt::format("      {} x {}\n", count, what);
  if (const auto seconds = seconds_in(report, "first_bad_to_restored_seconds"))
    out += fmt::format("    first bad response to restored split: {:.1f} s\n", *seconds);
  if (const auto seconds = seconds_in(report, "verdict_to_restored_seconds"))
    out += fmt::format("    verdict to restored split: {:.3f} s\n", *seconds);
  return out;
}

std::string Demo::report() const {
  std::string out = fmt::format(
      "\nPipeline of {}\n  {} games loaded, {} eligible players, {} predictions, coverage {} %, graded {}\n",
      text_of(pipeline_, "game_date"), text_of(loaded_, "games"), text_of(pipeline_, "eligible"),
      text_of(pipeline_, "predictions"), text_of(pipeline_, "coverage_percent"), text_of(pipeline_, "graded"));
  out += "\nReleases of prediction-worker\n";
  for (const ReleaseOutcome& outcome : releases_) out += release_text(outcome);
  out += fmt::format("\nUsers: {} requests, {} failed, p50 {}, p99 {}\n", total_.sent, total_.failed,
                     format_duration(total_.p50), format_duration(total_.p99));
  out += fmt::format("Took {:.0f} s. {}\n", seconds_of(context_.sleeper().now() - started_),
                     left_behind_.empty() ? "Nothing is left running." : left_behind_);
  if (!as_expected())
    out +=
        "NOT AS EXPECTED: the healthy release should be promoted without a failed request, the bad one rolled back.\n";
  return out;
}

json::object Demo::report_json() const {
  json::array releases;
  for (const ReleaseOutcome& outcome : releases_) {
    json::array failures;
    for (const load::FailedRequest& failure : outcome.failures)
      failures.push_back(json::object{{"at", format_rfc3339(failure.at)}, {"what", failure.what}});
    releases.push_back(json::object{{"release", outcome.release},
                                    {"rollout", outcome.report},
                                    {"user_requests", outcome.user_requests},
                                    {"user_failures", outcome.user_failures},
                                    {"failures", std::move(failures)}});
  }
  return json::object{{"as_expected", as_expected()},
                      {"seconds", seconds_of(context_.sleeper().now() - started_)},
                      {"loaded", loaded_},
                      {"pipeline", pipeline_},
                      {"releases", std::move(releases)},
                      {"users", json::object{{"requests", total_.sent}, {"failed", total_.failed}}}};
}

void run_demo(VerbContext& context, const DemoOptions& options) {
  Demo demo(context, options);
  const Status status = demo.run();
  if (!status) {
    demo.take_down();
    if (status.error().code() == Errc::cancelled) context.err("serin: interrupted; the fleet is down\n");
    return context.fail_with(status.error());
  }
  context.out(options.json ? json::serialize(demo.report_json()) + "\n" : demo.report());
  context.finish(demo.as_expected() ? Exit::done : Exit::failed);
}

}  // namespace

void add_demo_verb(CLI::App& app, VerbContext& context) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* verb =
      app.add_subcommand("demo", "Start the fleet, release a good and a bad version, report, take it all down");
  verb->add_option("--nba", options->nba, "NBA player games, a CSV file, may be .gz (default: the simulated league)");
  verb->add_option("--mlb", options->mlb, "Retrosheet game logs, may be .gz (default: the simulated league)");
  verb->add_option("--rps", options->requests_per_second, "Users' requests a second")->capture_default_str();
  verb->add_flag("--keep", options->keep, "Keep databases and logs");
  add_json_flag(*verb, options->json);
  verb->callback([&context, options] { run_demo(context, *options); });
}

}  // namespace serin::tool
