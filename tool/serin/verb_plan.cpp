#include "verb_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <memory>
#include <optional>

#include "plan_flags.hpp"
#include "play_many.hpp"
#include "releases.hpp"
#include "seen_traffic.hpp"
#include "serin/rollout/evidence.hpp"
#include "serin/trials/power.hpp"
#include "target.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

struct PlanVerbFlags {
  std::string service;
  PlanFlags plan;
  std::optional<double> rate;
  std::optional<double> errors;
  std::int64_t runs = 300;
  bool blind = false;
  bool json = false;
};

constexpr std::int64_t least_seconds = 60;

struct PlanAnswer {
  rollout::PlanOptions plan;
  SeenTraffic traffic;
  trials::PlanSight sight;
};

Result<PlanAnswer> answer_of(const PlanVerbFlags& flags, RealContext& context) {
  PlanAnswer answer;
  std::optional<config::ServiceSpec> service;
  if (!flags.service.empty()) {
    SERIN_TRY(const config::FleetSpec fleet, context.fleet());
    SERIN_TRY(const config::ServiceSpec* const found, find_service(fleet, flags.service));
    service = *found;
    answer.plan = found->plan;
  }
  SERIN_TRY(const rollout::Plan plan, make_plan(answer.plan, answer.plan.ready_timeout, flags.plan,
                                                service ? service->target : config::TargetSpec()));
  answer.plan = plan.options();
  if (flags.rate) {
    if (!(*flags.rate > 0 && *flags.rate <= 1e6))
      return fail(Errc::invalid_argument, fmt::format("--rate: above 0 and up to 1000000, not {}", *flags.rate));
    const double errors = flags.errors.value_or(0.001);
    if (!(errors >= 0 && errors < 1))
      return fail(Errc::invalid_argument, fmt::format("--errors: a share from 0 to below 1, not {}", errors));
    answer.traffic = {.rate = *flags.rate,
                      .errors = errors,
                      .dispersion = answer.plan.judge.dispersion,
                      .history_seconds = std::chrono::floor<std::chrono::seconds>(answer.plan.past.window).count(),
                      .source = "as was said"};
  } else if (service) {
    SERIN_TRY(Session* const session, session_for(context, flags.service));
    SERIN_TRY(const std::unique_ptr<Target> target, make_target(context, *session, *service));
    SERIN_TRY(answer.traffic,
              recent_traffic(target->traffic(), service->name, answer.plan.past, context.sleeper().now()));
    if (answer.traffic.seconds < least_seconds || answer.traffic.rate <= 0)
      return fail(
          Errc::unavailable,
          fmt::format("{:.4g} requests a second to {} were counted in {} s, which is too little to plan with; say "
                      "--rate and --errors",
                      answer.traffic.rate, service->name, answer.traffic.seconds));
    if (flags.errors) answer.traffic.errors = *flags.errors;
  } else {
    return fail(Errc::invalid_argument, "name a service whose traffic was counted, or say --rate");
  }
  trials::PowerQuestion question{.rate = answer.traffic.rate,
                                 .errors = answer.traffic.errors,
                                 .dispersion = answer.traffic.dispersion,
                                 .history_seconds = answer.traffic.history_seconds,
                                 .stages = {},
                                 .judge = rollout::judge_of(answer.plan),
                                 .runs = flags.runs};
  const std::int64_t seconds = std::chrono::ceil<std::chrono::seconds>(answer.plan.monitoring_duration).count();
  for (const double percent : answer.plan.stages) question.stages.push_back({.percent = percent, .seconds = seconds});
  answer.sight = trials::look_at_plan(question, [](const trials::Scenario& scenario, const trials::ContenderKind& kind,
                                                   std::int64_t runs, std::uint64_t seed, trials::Promotion promotion) {
    return play_many(scenario, kind, runs, seed, usual_threads(), promotion);
  });
  return answer;
}

std::string seconds_text(double seconds) {
  return format_duration(std::chrono::seconds(static_cast<std::int64_t>(std::ceil(seconds))));
}

/// How long the stage of a healthy version lasts.
double expected_seconds(const rollout::PlanOptions& plan, const trials::StageSight& sight) {
  const auto whole = static_cast<double>(sight.stage.seconds);
  if (!plan.early_promotion || sight.proved < 0.5 || !sight.proof_seconds) return whole;
  return std::max(*sight.proof_seconds, std::chrono::duration<double>(plan.min_stage).count());
}

std::string stage_line(const PlanAnswer& answer, const trials::StageSight& sight) {
  const double errors = answer.traffic.errors;
  std::string line = fmt::format("{:>6.4g} %  {:>8}  {:>9.0f}  ", sight.stage.percent,
                                 seconds_text(static_cast<double>(sight.stage.seconds)), sight.canary_requests);
  if (!sight.smallest)
    line += fmt::format("{:<44}", "nothing, not even if every request fails");
  else
    line += fmt::format("{:<44}", fmt::format("{:.3g} % of errors{}, in {}, {:.0f} fail", 100 * *sight.smallest,
                                              errors > 0 ? fmt::format(" ({:.2g}x)", *sight.smallest / errors) : "",
                                              seconds_text(sight.seconds), sight.failed));
  line += sight.proved >= 0.01 && sight.proof_seconds
              ? fmt::format("  {:.0f} % of the time, in {}", 100 * sight.proved, seconds_text(*sight.proof_seconds))
              : "  hardly ever";
  return line + (sight.blind() ? "  BLIND\n" : "\n");
}

std::string as_text(const PlanAnswer& answer) {
  std::string out = fmt::format("{:.4g} requests a second, {:.3g} % fail, {}\n", answer.traffic.rate,
                                100 * answer.traffic.errors, answer.traffic.source);
  out += fmt::format("{:>8}  {:>8}  {:>9}  {:<44}  {}\n", "stage", "at most", "requests", "finds with 80 % probability",
                     "proves health");
  double expected = 0;
  bool unproved = false;
  for (const trials::StageSight& sight : answer.sight.stages) {
    out += stage_line(answer, sight);
    expected += expected_seconds(answer.plan, sight);
    unproved = unproved || sight.proved < 0.5;
  }
  out += fmt::format("a healthy version takes about {}{}\n", seconds_text(expected),
                     unproved ? fmt::format("; where health is not proved the plan says {}",
                                            rollout::on_undecided_name(answer.plan.on_undecided_early))
                              : "");
  return out;
}

std::string as_json(const PlanAnswer& answer) {
  json::array stages;
  double expected = 0;
  for (const trials::StageSight& sight : answer.sight.stages) {
    const auto number = [](const std::optional<double>& value) { return value ? json::value(*value) : json::value(); };
    const bool relative = sight.smallest && answer.traffic.errors > 0;
    stages.push_back(json::object{
        {"percent", sight.stage.percent},
        {"seconds", sight.stage.seconds},
        {"canary_requests", sight.canary_requests},
        {"smallest_error_rate", number(sight.smallest)},
        {"smallest_ratio", relative ? json::value(*sight.smallest / answer.traffic.errors) : json::value()},
        {"found_seconds", sight.smallest ? json::value(sight.seconds) : json::value()},
        {"failed_requests", sight.smallest ? json::value(sight.failed) : json::value()},
        {"health_proved", sight.proved},
        {"proof_seconds", number(sight.proof_seconds)},
        {"blind", sight.blind()}});
    expected += expected_seconds(answer.plan, sight);
  }
  return json::serialize(json::object{{"rate", answer.traffic.rate},
                                      {"errors", answer.traffic.errors},
                                      {"dispersion", answer.traffic.dispersion},
                                      {"source", answer.traffic.source},
                                      {"stages", std::move(stages)},
                                      {"expected_seconds", expected},
                                      {"blind", answer.sight.blind()}}) +
         "\n";
}

void run_plan(const PlanVerbFlags& flags, RealContext& context) {
  const Result<PlanAnswer> answer = answer_of(flags, context);
  if (!answer) return context.fail_with(answer.error());
  context.out(flags.json ? as_json(*answer) : as_text(*answer));
  if (!answer->sight.blind()) return;
  context.err(
      "serin: this plan sees nothing: half of the new version's requests could fail and nobody would know. Longer "
      "stages, larger shares or more traffic (serin load) help\n");
  if (!flags.blind) context.finish(Exit::failed);
}

}  // namespace

void add_plan_verb(CLI::App& app, RealContext& context) {
  auto flags = std::make_shared<PlanVerbFlags>();
  CLI::App* plan = app.add_subcommand("plan", "What a rollout would see: the smallest regression of each stage");
  plan->add_option("service", flags->service, "Its plan, and the traffic that was counted lately");
  plan->add_option("--rate", flags->rate, "Requests a second, instead of what was counted");
  plan->add_option("--errors", flags->errors, "Share of them that fails; with --rate 0.001 unless given");
  add_plan_flags(*plan, flags->plan);
  plan->add_option("--runs", flags->runs, "Rollouts to play for each answer")
      ->capture_default_str()
      ->check(CLI::Range(20, 100'000));
  plan->add_flag("--blind", flags->blind, "A plan that sees nothing is all right");
  add_json_flag(*plan, flags->json);
  plan->footer("Exit codes: 0 it sees something, 1 it sees nothing, 2 usage or file, 3 no traffic is known.");
  plan->callback([flags, &context] { run_plan(*flags, context); });
}

}  // namespace serin::tool
