#include "verb_simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "comparison.hpp"
#include "play_many.hpp"
#include "serin/base/text.hpp"
#include "serin/trials/trial.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using trials::Characteristics;
using trials::Scenario;

struct SimulateFlags {
  std::string file;
  std::string judge = "serin";
  std::string stages;
  std::string output = "text";
  std::string page;
  std::int64_t runs = 1000;
  std::uint64_t seed = 1;
  int threads = usual_threads();
  bool early = false;
};

/// "5:300,50:5m".
Result<std::vector<trials::StageOfPlay>> parse_stages(std::string_view text) {
  std::vector<trials::StageOfPlay> stages;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t colon = part.find(':');
    const std::optional<double> percent = to_double(trim(part.substr(0, colon)));
    std::optional<std::int64_t> seconds;
    if (colon != std::string_view::npos) {
      const std::string_view length = trim(part.substr(colon + 1));
      seconds = to_int(length);
      if (const Result<Duration> duration = parse_duration(length); !seconds && duration)
        seconds = std::chrono::ceil<std::chrono::seconds>(*duration).count();
    }
    if (!percent || !(*percent > 0 && *percent < 100) || !seconds || *seconds <= 0)
      return fail(Errc::invalid_argument,
                  fmt::format("--stages: '{}' is no stage; write percent:length, as in 5:5m,50:300", part));
    stages.push_back({.percent = *percent, .seconds = *seconds});
  }
  return stages;
}

std::string percent(double share) { return fmt::format("{:.4g} %", 100 * share); }

std::string as_text(const Scenario& scenario, const trials::ContenderKind& kind, const SimulateFlags& flags,
                    const Characteristics& found) {
  std::string plan;
  for (const trials::StageOfPlay& stage : scenario.stages)
    plan += fmt::format("{}{:.4g} % for {}", plan.empty() ? "" : ", ", stage.percent,
                        format_duration(std::chrono::seconds(stage.seconds)));
  const auto share = [&](std::int64_t count) {
    return percent(static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(1, found.runs)));
  };
  std::string out = fmt::format("{}: {}\n", scenario.name, scenario.says);
  out += fmt::format("judge       {}: {}\n", kind.title, kind.rule);
  out +=
      fmt::format("traffic     {:.4g} requests a second, {} fail; {}\n", scenario.rate, percent(scenario.errors), plan);
  out += fmt::format("runs        {}, seed {}\n", found.runs, flags.seed);
  out += fmt::format("{} {} (95 %: {} to {})\n", scenario.healthy() ? "wrongly back" : "found       ",
                     share(found.rolled_back), percent(found.rolled_back_low), percent(found.rolled_back_high));
  if (found.median_second) out += fmt::format("            at second {:.0f} (median)\n", *found.median_second);
  out += fmt::format("held        {}\n", share(found.held));
  if (found.median_proof)
    out += fmt::format("healthy     proved in {} of the runs, at second {:.0f} (median)\n", share(found.proved),
                       *found.median_proof);
  out += fmt::format("users       {:.1f} requests of the canary failed until the end (mean), {:.1f} because of it\n",
                     found.canary_failures, found.blamed);
  return out;
}

std::string as_csv(const Scenario& scenario, const trials::ContenderKind& kind, const SimulateFlags& flags,
                   const Characteristics& found) {
  const auto second = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.0f}", *value) : std::string();
  };
  return "scenario,healthy,judge,runs,seed,rolled_back,low,high,held,proved,median_second,median_proof,canary_"
         "failures\n" +
         fmt::format("{},{},{},{},{},{},{:.6f},{:.6f},{},{},{},{},{:.3f},{:.3f}\n", scenario.name,
                     scenario.healthy() ? 1 : 0, kind.name, found.runs, flags.seed, found.rolled_back,
                     found.rolled_back_low, found.rolled_back_high, found.held, found.proved,
                     second(found.median_second), second(found.median_proof), found.canary_failures, found.blamed);
}

std::string as_json(const Scenario& scenario, const trials::ContenderKind& kind, const SimulateFlags& flags,
                    const Characteristics& found) {
  const auto second = [](const std::optional<double>& value) { return value ? json::value(*value) : json::value(); };
  return json::serialize(
             json::object{{"scenario", scenario.name},
                          {"healthy", scenario.healthy()},
                          {"judge", kind.name},
                          {"runs", found.runs},
                          {"seed", flags.seed},
                          {"rolled_back", found.rolled_back},
                          {"rolled_back_interval", json::array{found.rolled_back_low, found.rolled_back_high}},
                          {"held", found.held},
                          {"health_proved", found.proved},
                          {"median_rollback_second", second(found.median_second)},
                          {"median_proof_second", second(found.median_proof)},
                          {"canary_failures", found.canary_failures},
                          {"canary_failures_blamed", found.blamed}}) +
         "\n";
}

void run_simulate(const SimulateFlags& flags, VerbContext& context) {
  const auto text = [&]() -> Result<std::string> {
    SERIN_TRY(const std::string file, context.read_file(flags.file));
    SERIN_TRY(trials::ScenarioFile read, trials::parse_scenario(file, flags.file));
    if (!flags.stages.empty()) {
      SERIN_TRY(read.scenario.stages, parse_stages(flags.stages));
    }
    SERIN_TRY(const trials::ContenderKind kind, trials::find_contender(flags.judge, read.judge));
    const std::vector<trials::Trial> played =
        play_many(read.scenario, kind, flags.runs, flags.seed, flags.threads,
                  flags.early ? trials::Promotion::early : trials::Promotion::on_time);
    const Characteristics found = trials::characterise(played);
    if (flags.output == "json") return as_json(read.scenario, kind, flags, found);
    if (flags.output == "csv") return as_csv(read.scenario, kind, flags, found);
    return as_text(read.scenario, kind, flags, found);
  }();
  if (!text) return context.fail_with(text.error());
  context.out(*text);
}

/// fleet/scenarios, here or in a folder above.
Result<fs::path> usual_folder() {
  std::error_code error;
  for (fs::path folder = fs::current_path(error); !folder.empty(); folder = folder.parent_path()) {
    if (fs::is_directory(folder / "fleet" / "scenarios", error)) return folder / "fleet" / "scenarios";
    if (folder == folder.root_path()) break;
  }
  return fail(Errc::not_found, "no folder fleet/scenarios here or above: name one");
}

Result<std::vector<trials::ScenarioFile>> read_folder(const std::string& given, VerbContext& context) {
  fs::path folder = given;
  if (given.empty()) {
    SERIN_TRY(folder, usual_folder());
  }
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  if (error || files.empty())
    return fail(Errc::not_found, fmt::format("there is no scenario (*.yaml) in {}", folder.string()));
  std::ranges::sort(files);
  std::vector<trials::ScenarioFile> out;
  for (const fs::path& file : files) {
    SERIN_TRY(const std::string text, context.read_file(file.string()));
    SERIN_TRY(trials::ScenarioFile read, trials::parse_scenario(text, file.string()));
    out.push_back(std::move(read));
  }
  return out;
}

void run_compare(const SimulateFlags& flags, VerbContext& context) {
  const auto done = [&]() -> Status {
    SERIN_TRY(const std::vector<trials::ScenarioFile> files, read_folder(flags.file, context));
    Comparison comparison{.runs = flags.runs, .seed = flags.seed, .threads = flags.threads};
    for (const trials::ScenarioFile& file : files) {
      ComparedScenario row{.scenario = file.scenario};
      for (const trials::ContenderKind& kind : trials::all_contenders(file.judge)) {
        context.err(fmt::format("\r{:<30} {:<24}", file.scenario.name, kind.title));
        const Instant began = context.sleeper().now();
        row.found.push_back(
            trials::characterise(play_many(file.scenario, kind, flags.runs, flags.seed, flags.threads)));
        if (row.found.size() == 1)
          comparison.seconds += std::chrono::duration<double>(context.sleeper().now() - began).count();
        if (comparison.scenarios.empty()) comparison.judges.push_back({kind.title, kind.rule});
      }
      comparison.scenarios.push_back(std::move(row));
    }
    context.err(fmt::format("\r{:<60}\r", ""));
    const std::string page = comparison_page(comparison);
    if (flags.page.empty()) {
      context.out(page);
      return {};
    }
    SERIN_CHECK(write_report_to(flags.page, page));
    context.out(fmt::format("{} written\n", flags.page));
    return {};
  }();
  if (!done) context.fail_with(done.error());
}

void add_runs(CLI::App& verb, SimulateFlags& flags) {
  verb.add_option("--runs", flags.runs, "Rollouts to play")->capture_default_str()->check(CLI::Range(1, 10'000'000));
  verb.add_option("--seed", flags.seed, "The same seed plays the same rollouts")->capture_default_str();
  verb.add_option("--threads", flags.threads, "Default: one for each processor; the result does not depend on it")
      ->check(CLI::Range(1, 256));
}

}  // namespace

void add_simulate_verbs(CLI::App& judge, VerbContext& context) {
  auto flags = std::make_shared<SimulateFlags>();
  CLI::App* simulate = judge.add_subcommand("simulate", "How often a judge is wrong, and how late it is right");
  simulate->add_option("FILE", flags->file, "A scenario, as in fleet/scenarios; - for standard input")->required();
  add_runs(*simulate, *flags);
  simulate->add_option("--judge", flags->judge, "serin, flagger-1, flagger-5, argo-0, argo-3, kayenta or script")
      ->capture_default_str();
  simulate->add_option("--stages", flags->stages, "Another plan than the scenario's: 5:5m,50:5m,95:5m");
  simulate->add_flag("--early", flags->early, "Leave a stage as soon as its health is proved");
  simulate->add_option("--output", flags->output, "text, json or csv")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->capture_default_str();
  simulate->callback([flags, &context] { run_simulate(*flags, context); });

  auto compared = std::make_shared<SimulateFlags>();
  CLI::App* compare = judge.add_subcommand("compare", "Our judge beside the rules of the field, on every scenario");
  compare->add_option("FOLDER", compared->file, "Of scenarios; default: fleet/scenarios, here or above");
  add_runs(*compare, *compared);
  compare->add_option("--page", compared->page, "Write it as a Markdown page, as docs/perf/judge.md is");
  compare->callback([compared, &context] { run_compare(*compared, context); });
}

}  // namespace serin::tool
