#include "verb_deploy.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>

#include "data_gate.hpp"
#include "plan_flags.hpp"
#include "progress.hpp"
#include "releases.hpp"
#include "seat.hpp"
#include "seen_traffic.hpp"
#include "serin/control/order_store.hpp"
#include "serin/rollout/engine.hpp"
#include "serin/rollout/sql_journal.hpp"
#include "smoke_gate.hpp"
#include "target.hpp"
#include "verb_steer.hpp"

namespace serin::tool {
namespace {

struct DeployFlags {
  std::string service;
  std::string release;
  PlanFlags plan;
  bool force = false;
  bool blind = false;
  bool json = false;
  std::string reason;
  int limit = 20;
  std::int64_t id = 0;
};

/// Failed requests between a rollout's begin and its end (or now).
std::vector<control::FailedRequest> failures_of(Target& target, const rollout::Report& report, const Clock& clock) {
  const auto second = [](Instant at) {
    return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
  };
  return target.failures(second(report.began_at), second(report.ended_at.value_or(clock.now())));
}

Exit exit_of(rollout::State outcome, rollout::State wanted) {
  if (outcome == wanted) return Exit::done;
  return rollout::is_final(outcome) ? Exit::failed : Exit::held;
}

/// One service's rollouts: what they act on, and the engine that does it.
struct Scene {
  Session& session;
  const config::ServiceSpec& service;
  Target& target;
  rollout::Engine& engine;
  SmokeGate& smoke;
};

/// What all three have in common: somebody is there to do it, the seat is ours, and the report is printed.
void drive(RealContext& context, const DeployFlags& flags, std::string_view verb, rollout::State wanted,
           const std::function<Result<rollout::Report>(Scene&)>& work) {
  std::unique_ptr<Target> target;
  const auto report = [&]() -> Result<rollout::Report> {
    SERIN_TRY(Session* const session, session_for(context, flags.service));
    SERIN_TRY(const config::ServiceSpec* const service, find_service(session->spec, flags.service));
    SERIN_TRY(target, make_target(context, *session, *service));
    SERIN_CHECK(target->check_alive());
    SERIN_TRY(const std::unique_ptr<Seat> seat, Seat::take(context, *session, service->name, verb));
    SERIN_TRY(const std::unique_ptr<rollout::SqlJournal> journal,
              rollout::SqlJournal::open(session->state, context.patient()));
    SERIN_TRY(const std::unique_ptr<control::OrderStore> orders,
              control::OrderStore::open(session->state, context.patient()));
    Progress progress(context);
    DataGate gate(context, session->spec);
    SmokeGate smoke(context, *session, target->probes());
    rollout::Engine engine({.router = target->router(),
                            .platform = target->platform(),
                            .traffic = target->traffic(),
                            .http = target->probes(),
                            .sleeper = context.sleeper(),
                            .patient = context.patient(),
                            .journal = *journal,
                            .guard = *seat,
                            .observer = progress,
                            .gate = &gate,
                            .smoke = &smoke,
                            .orders = orders.get()});
    Scene scene{*session, *service, *target, engine, smoke};
    return work(scene);
  }();
  if (!report) return context.fail_with(report.error());
  const std::vector<control::FailedRequest> failures = failures_of(*target, *report, context.patient());
  context.out(flags.json ? report_json(*report, failures) + "\n" : report_text(*report, failures));
  if (report->outcome == rollout::State::held)
    context.err(fmt::format("serin: held: look, then `serin resume {0}` or `serin rollback {0}`\n", report->service));
  if (report->outcome == rollout::State::rollback_incomplete)
    context.err(fmt::format("serin: the old split is NOT back: `serin resume {}` tries again\n", report->service));
  context.finish(exit_of(report->outcome, wanted));
}

/// What was counted lately is enough for this plan to see something in, as far as it is known.
Status check_sight(RealContext& context, Scene& scene, const rollout::PlanOptions& plan, const DeployFlags& flags) {
  if (flags.blind) return {};
  const Result<SeenTraffic> traffic =
      recent_traffic(scene.target.traffic(), scene.service.name, plan.past, context.sleeper().now());
  if (!traffic) return {};  // what is not known here is said by the rollout itself
  const std::string nothing = sees_nothing(plan, *traffic);
  if (nothing.empty()) return {};
  return fail(Errc::rejected, nothing);
}

/// Releases it by the fleet's plan and what was said of it, when that plan can be followed.
Result<rollout::Report> release(RealContext& context, const DeployFlags& flags, Scene& scene, ReleaseSpec candidate,
                                bool force) {
  SERIN_TRY(rollout::Plan plan,
            make_plan(scene.service.plan, candidate.ready_timeout, flags.plan, scene.service.target));
  if (const std::string& file = plan.options().smoke.file; !file.empty())
    SERIN_CHECK(scene.smoke.check(scene.service.name, file));
  SERIN_CHECK(check_sight(context, scene, plan.options(), flags));
  return scene.engine.run(
      {.service = scene.service.name, .release = std::move(candidate), .plan = std::move(plan), .force = force});
}

void deploy(RealContext& context, const DeployFlags& flags) {
  drive(context, flags, "deploy", rollout::State::promoted, [&](Scene& scene) -> Result<rollout::Report> {
    SERIN_TRY(const std::string bin, context.bin());
    SERIN_TRY(ReleaseSpec plain, find_release(context, scene.session.spec, scene.service, flags.release, bin));
    SERIN_TRY(ReleaseSpec candidate, scene.target.complete(std::move(plain)));
    return release(context, flags, scene, std::move(candidate), flags.force);
  });
}

/// The same content once more: whoever asks for it knows that it was taken back, so nothing has to be forced.
void retry(RealContext& context, const DeployFlags& flags) {
  drive(context, flags, "retry", rollout::State::promoted, [&](Scene& scene) -> Result<rollout::Report> {
    SERIN_TRY(const std::unique_ptr<rollout::SqlJournal> journal,
              rollout::SqlJournal::open(scene.session.state, context.patient()));
    SERIN_TRY(const std::vector<rollout::Record> newest, journal->history(scene.service.name, 1));
    if (newest.empty()) return fail(Errc::not_found, fmt::format("{} never had a rollout", scene.service.name));
    const rollout::Record& last = newest.front();
    if (last.progress.state != rollout::State::rolled_back && last.progress.state != rollout::State::failed_to_start)
      return fail(Errc::conflict,
                  fmt::format("rollout {} of {} to {} is {}: only one that was taken back, or did not "
                              "start, is tried again",
                              last.id, last.service, last.candidate.name, rollout::state_name(last.progress.state)));
    SERIN_TRY(ReleaseSpec candidate, scene.target.complete(last.candidate));
    if (candidate.digest != last.candidate.digest)
      return fail(Errc::conflict,
                  fmt::format("{} is not what rollout {} took back any more: `serin deploy` releases it",
                              candidate.name, last.id));
    return release(context, flags, scene, std::move(candidate), true);
  });
}

void rollback(RealContext& context, const DeployFlags& flags) {
  drive(context, flags, "rollback", rollout::State::rolled_back, [&](Scene& scene) {
    return scene.engine.rollback(
        scene.service.name, [&](const ReleaseName& name) { return scene.target.spec_of(name); }, flags.force);
  });
}

void resume(RealContext& context, const DeployFlags& flags) {
  if (end_pause(context, {.service = flags.service, .reason = flags.reason, .json = flags.json})) return;
  drive(context, flags, "resume", rollout::State::promoted,
        [&](Scene& scene) { return scene.engine.resume(scene.service.name); });
}

std::string history_line(const rollout::Report& report) {
  const std::string lasted =
      report.ended_at ? format_duration(std::chrono::floor<std::chrono::seconds>(*report.ended_at - report.began_at))
                      : "open";
  return fmt::format("{:>4}  {}  {:<24} {:<14} {:<16} {:>7}  {}\n", report.id, format_rfc3339(report.began),
                     report.service, report.release, rollout::state_name(report.outcome), lasted, report.reason);
}

Result<std::string> history(RealContext& context, const DeployFlags& flags) {
  SERIN_TRY(Session* const session, context.session());
  std::optional<ServiceName> service;
  if (!flags.service.empty()) {
    SERIN_TRY(const config::ServiceSpec* const found, find_service(session->spec, flags.service));
    service = found->name;
  }
  SERIN_TRY(const std::unique_ptr<rollout::SqlJournal> journal,
            rollout::SqlJournal::open(session->state, context.patient()));
  if (flags.id > 0) {
    SERIN_TRY(const rollout::Record record, journal->load(flags.id));
    const rollout::Report report = rollout::make_report(record);
    SERIN_TRY(const config::ServiceSpec* const about, find_service(session->spec, record.service.str()));
    SERIN_TRY(const std::unique_ptr<Target> target, make_target(context, *session, *about));
    const auto failures = failures_of(*target, report, context.patient());
    return flags.json ? report_json(report, failures) + "\n" : report_text(report, failures);
  }
  SERIN_TRY(const std::vector<rollout::Record> records, journal->history(service, flags.limit));
  std::string out = flags.json ? ""
                               : fmt::format("{:>4}  {:<24}  {:<24} {:<14} {:<16} {:>7}  {}\n", "id", "began",
                                             "service", "release", "outcome", "lasted", "reason");
  for (const rollout::Record& brief : records) {
    // With its evidence, so that the counts are the rollout's own.
    SERIN_TRY(const rollout::Record record, journal->load(brief.id));
    const rollout::Report report = rollout::make_report(record);
    if (flags.json)
      out += (out.empty() ? "" : ",") + rollout::report_json(report);
    else
      out += history_line(report);
  }
  return flags.json ? "{\"rollouts\":[" + out + "]}\n" : out;
}

void add_service(CLI::App& verb, DeployFlags& flags) {
  verb.add_option("service", flags.service, "Service of the fleet")->required();
  add_json_flag(verb, flags.json);
}

}  // namespace

void add_deploy_verbs(CLI::App& app, RealContext& context) {
  auto flags = std::make_shared<DeployFlags>();
  CLI::App* deploy_verb =
      app.add_subcommand("deploy", "Release a version by canary, and take it back when it is worse");
  add_service(*deploy_verb, *flags);
  deploy_verb->add_option("--release", flags->release, "A release of the fleet's file, or a file of its own")
      ->required();
  add_plan_flags(*deploy_verb, flags->plan);
  deploy_verb->add_flag("--force", flags->force, "Although exactly this was taken back before");
  deploy_verb->add_flag("--blind", flags->blind, "Although the traffic is too little for anything to be seen");
  deploy_verb->footer(
      "Exit codes: 0 promoted, 1 rolled back or not fit to start, 2 usage or file, 3 held or could not run.\n"
      "Ctrl-C restores the traffic as it was. What is not given comes from the plan in the fleet's file.");
  deploy_verb->callback([flags, &context] { deploy(context, *flags); });

  CLI::App* retry_verb = app.add_subcommand(
      "retry", "Release once more exactly what the last rollout took back, by the plan as it is now");
  add_service(*retry_verb, *flags);
  add_plan_flags(*retry_verb, flags->plan);
  retry_verb->add_flag("--blind", flags->blind, "Although the traffic is too little for anything to be seen");
  retry_verb->callback([flags, &context] { retry(context, *flags); });

  CLI::App* rollback_verb = app.add_subcommand("rollback", "Put back the split from before the service's last rollout");
  add_service(*rollback_verb, *flags);
  rollback_verb->add_flag("--force", flags->force, "Although somebody changed the split since");
  rollback_verb->callback([flags, &context] { rollback(context, *flags); });

  CLI::App* resume_verb =
      app.add_subcommand("resume", "Go on with a rollout that was paused or held, or whose process was killed");
  add_service(*resume_verb, *flags);
  resume_verb->add_option("--reason", flags->reason, "Why, for the journal; where a pause is ended");
  resume_verb->callback([flags, &context] { resume(context, *flags); });

  CLI::App* history_verb = app.add_subcommand("history", "Rollouts, the newest first; one of them whole with --id");
  history_verb->add_option("service", flags->service, "Only of this service");
  history_verb->add_option("--id", flags->id, "One rollout, whole");
  history_verb->add_option("--limit", flags->limit, "How many")->capture_default_str()->check(CLI::Range(1, 1000));
  add_json_flag(*history_verb, flags->json);
  history_verb->callback([flags, &context] {
    const Result<std::string> text = history(context, *flags);
    if (!text) return context.fail_with(text.error());
    context.out(*text);
  });
}

}  // namespace serin::tool
