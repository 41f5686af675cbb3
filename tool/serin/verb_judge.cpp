#include "verb_judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <memory>

#include "serin/base/text.hpp"
#include "serin/judge/replay.hpp"
#include "verb_simulate.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

struct ReplayFlags {
  std::string file;
  judge::ErrorJudgeOptions judge;
  std::string stages;
  bool json = false;
};

/// "5:300,50:5m" or "300,5m": lengths of stages, with or without a percentage in front for the reader's sake.
Result<std::vector<std::int64_t>> parse_lengths(std::string_view text) {
  std::vector<std::int64_t> lengths;
  if (trim(text).empty()) return lengths;
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    if (const std::size_t colon = part.find(':'); colon != std::string_view::npos) part.remove_prefix(colon + 1);
    if (const std::optional<std::int64_t> seconds = to_int(part)) {
      lengths.push_back(*seconds);
      continue;
    }
    const Result<Duration> duration = parse_duration(part);
    if (!duration)
      return fail(Errc::invalid_argument,
                  fmt::format("--stages: '{}' is no length; write seconds, as in 5:300,50:300,95:300", part));
    lengths.push_back(std::chrono::ceil<std::chrono::seconds>(*duration).count());
  }
  return lengths;
}

/// JSON has no infinity; evidence beyond 1e300 is as good as 1e300.
double odds(double log) { return log > std::log(1e300) ? 1e300 : std::exp(log); }

json::object to_json(const judge::ReplayStep& step) {
  const judge::Bucket& total = step.evidence.total;
  return {{"second", step.second},
          {"evidence", odds(step.evidence.worse)},
          {"evidence_healthy", odds(step.evidence.healthy)},
          {"log_evidence", step.evidence.worse},
          {"log_evidence_healthy", step.evidence.healthy},
          {"stage", step.stage},
          {"verdict", std::string(judge::verdict_name(step.verdict))},
          {"canary_requests", total.canary_requests},
          {"canary_errors", total.canary_errors},
          {"baseline_requests", total.baseline_requests},
          {"baseline_errors", total.baseline_errors}};
}

std::string as_json(const judge::Replay& replay, const judge::ErrorJudgeOptions& options) {
  json::array steps;
  for (const judge::ReplayStep& step : replay.steps) steps.push_back(to_json(step));
  json::object out{{"verdict", std::string(judge::verdict_name(replay.verdict))}};
  if (replay.second)
    out["second"] = *replay.second;
  else
    out["second"] = nullptr;
  out["reason"] = replay.reason;
  out["needed"] = json::object{{"worse", 1 / options.alpha}, {"healthy", 1 / options.beta}};
  out["steps"] = std::move(steps);
  return json::serialize(out) + "\n";
}

std::string as_table(const judge::Replay& replay) {
  std::string out = fmt::format("{:>8}  {:>5}  {:>15}  {:>15}  {:>12}  {:>12}\n", "second", "stage", "canary",
                                "baseline", "ln E worse", "ln E healthy");
  for (const judge::ReplayStep& step : replay.steps) {
    const judge::Bucket& total = step.evidence.total;
    out += fmt::format("{:>8}  {:>5}  {:>15}  {:>15}  {:>12.2f}  {:>12.2f}\n", step.second, step.stage + 1,
                       fmt::format("{}/{}", total.canary_errors, total.canary_requests),
                       fmt::format("{}/{}", total.baseline_errors, total.baseline_requests), step.evidence.worse,
                       step.evidence.healthy);
  }
  if (!replay.steps.empty()) {
    const judge::Evidence& last = replay.steps.back().evidence;
    out += fmt::format("{:>8}  {:>5}  {:>15}  {:>15}  {:>12.2f}  {:>12.2f}\n", "needed", "", "", "", last.worse_needed,
                       last.healthy_needed);
  }
  const std::string when = replay.second ? fmt::format(" at second {}", *replay.second) : "";
  return out + fmt::format("\n{}{}: {}\n", judge::verdict_name(replay.verdict), when, replay.reason);
}

void run_replay(const ReplayFlags& flags, VerbContext& context) {
  const auto outcome = [&]() -> Result<judge::Replay> {
    SERIN_TRY(const std::string text, context.read_file(flags.file));
    SERIN_TRY(const std::vector<judge::RecordedSecond> recording, judge::parse_recording(text, flags.file));
    SERIN_TRY(std::vector<std::int64_t> stages, parse_lengths(flags.stages));
    return judge::replay(recording, {.judge = flags.judge, .stage_seconds = std::move(stages)});
  }();
  if (!outcome) return context.fail_with(outcome.error());
  context.out(flags.json ? as_json(*outcome, flags.judge) : as_table(*outcome));
  if (outcome->verdict == judge::Verdict::worse) context.finish(Exit::failed);
}

}  // namespace

void add_judge_verbs(CLI::App& app, VerbContext& context) {
  CLI::App* judge =
      app.add_subcommand("judge", "The statistics of a rollout, on recorded counts and on simulated ones");
  judge->require_subcommand(1);
  CLI::App* replay = judge->add_subcommand("replay", "Judge a recording second by second, as a rollout would have");
  auto flags = std::make_shared<ReplayFlags>();
  replay
      ->add_option(
          "FILE", flags->file,
          "CSV with second,canary_requests,canary_errors,baseline_requests,baseline_errors; - for standard input")
      ->required();
  replay->add_option("--alpha", flags->judge.alpha, "Chance to ever call a tolerable canary worse")
      ->capture_default_str();
  replay->add_option("--beta", flags->judge.beta, "Chance to ever call a canary beyond the healthy margin healthy")
      ->capture_default_str();
  replay
      ->add_option("--tolerable-ratio", flags->judge.tolerable.ratio,
                   "Not worse up to this many times the baseline's rate ...")
      ->capture_default_str();
  replay->add_option("--tolerable-absolute", flags->judge.tolerable.absolute, "... plus this share of requests")
      ->capture_default_str();
  replay->add_option("--healthy-ratio", flags->judge.healthy.ratio, "Healthy when proved below this many times ...")
      ->capture_default_str();
  replay->add_option("--healthy-absolute", flags->judge.healthy.absolute, "... plus this share of requests")
      ->capture_default_str();
  replay->add_option("--dispersion", flags->judge.dispersion, "How much errors clump; 1: not at all")
      ->capture_default_str();
  replay->add_option("--min-canary-errors", flags->judge.min_canary_errors, "Never worse before so many")
      ->capture_default_str();
  replay->add_option("--stages", flags->stages,
                     "Lengths of the stages, as in 5:300,50:300,95:300 (percent:seconds) or 5m,5m; "
                     "health is proved in each anew");
  add_json_flag(*replay, flags->json);
  replay->footer("Exit codes: 0 not worse, 1 worse, 2 usage or file.");
  replay->callback([flags, &context] { run_replay(*flags, context); });
  add_simulate_verbs(*judge, context);
}

}  // namespace serin::tool
