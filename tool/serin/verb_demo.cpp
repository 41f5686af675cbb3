#include "verb_demo.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "serin/load/load.hpp"
#include "temporary_fleet.hpp"

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

/// A number of seconds, or nothing when it is null or absent.
std::optional<double> seconds_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

/// One run of the demo.
class Demo {
 public:
  Demo(VerbContext& context, DemoOptions options)
      : context_(context), options_(std::move(options)), fleet_(context, "demo") {
    if (options_.keep) fleet_.keep();
  }

  Status run() {
    SERIN_CHECK(check_files());
    SERIN_CHECK(fleet_.prepare());
    SERIN_CHECK(fleet_.up());
    SERIN_CHECK(load_games());
    SERIN_TRY(pipeline_, fleet_.run_pipeline());
    previews_ = TemporaryFleet::previews(pipeline_);
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
  void take_down() {
    if (load_) load_->stop();
    fleet_.take_down();
  }

 private:
  Status check_files() const;
  Status load_games();
  Status start_traffic();
  Status release(const std::string& name, std::string_view what);
  void say(std::string_view text) const { fleet_.say(text); }

  VerbContext& context_;
  DemoOptions options_;
  TemporaryFleet fleet_;
  json::object loaded_;
  json::object pipeline_;
  std::vector<std::string> previews_;  ///< bodies of the users' requests
  std::unique_ptr<load::Load> load_;   // ends before the fleet does
  load::LoadReport total_;
  std::vector<ReleaseOutcome> releases_;
};

Status Demo::check_files() const {
  for (const std::string& file : {options_.nba, options_.mlb})
    if (!file.empty() && !std::filesystem::exists(file))
      return fail(Errc::not_found, fmt::format("{} does not exist", file));
  return {};
}

Status Demo::load_games() {
  std::vector<std::string> argv = fleet_.fleet_program({"load"});
  if (!options_.nba.empty()) argv.insert(argv.end(), {"--nba", options_.nba});
  if (!options_.mlb.empty()) argv.insert(argv.end(), {"--mlb", options_.mlb});
  say(options_.nba.empty() && options_.mlb.empty() ? "loading a season of the simulated league" : "loading real games");
  SERIN_TRY(loaded_, fleet_.program(std::move(argv)));
  return {};
}

Status Demo::start_traffic() {
  load::LoadOptions load{.origin = fleet_.urls().at("prediction-worker"),
                         .requests_per_second = options_.requests_per_second};
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
  SERIN_TRY(
      json::object report,
      fleet_.program(fleet_.serin({"deploy", "prediction-worker", "--release", name, "--json", "--stages", "5,50,95",
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

bool Demo::as_expected() const {
  return releases_.size() == 2 && releases_[0].exit_code == 0 && releases_[0].user_failures == 0 &&
         releases_[1].exit_code == 1 && fleet_.left_behind().empty();
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
  out += fmt::format("Took {:.0f} s. {}\n", seconds_of(fleet_.age()),
                     fleet_.left_behind().empty() ? "Nothing is left running." : fleet_.left_behind());
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
                      {"seconds", seconds_of(fleet_.age())},
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
