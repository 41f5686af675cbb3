#include "verb_fleet.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "fleet_status.hpp"
#include "releases.hpp"
#include "serin/process/process.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {
namespace {

struct FleetFlags {
  bool json = false;
  std::string timeout = "60s";
};

constexpr std::array all_codes = {Errc::invalid_argument,  Errc::not_found,   Errc::conflict,
                                  Errc::deadline_exceeded, Errc::unavailable, Errc::rejected,
                                  Errc::permission_denied, Errc::exhausted,   Errc::cancelled,
                                  Errc::data_loss,         Errc::unsupported, Errc::internal};

/// What the agent wrote down before it ended: "conflict 127.0.0.1:80 is taken ...".
Error agent_error(control::ControlStore& store, const agent::Places& places) {
  const Result<std::optional<std::string>> said = store.fact("agent error");
  if (said && *said)
    for (const Errc code : all_codes) {
      const std::string name = std::string(errc_name(code)) + " ";
      if ((*said)->starts_with(name)) return fail(code, (*said)->substr(name.size())).error();
    }
  return fail(Errc::unavailable, fmt::format("the agent ended; its log is {}", places.output)).error();
}

/// Every service gets its first release; what ran before runs again, in its newest form if nothing of it runs now.
Status want_releases(Session& session, bool anything_runs) {
  for (const config::ServiceSpec& service : session.spec.services) {
    if (!service.target.is_local()) continue;
    SERIN_TRY(const Split split, session.store.split(service.name));
    if (split.empty()) {
      SERIN_TRY(const ReleaseSpec release, with_digest(service.release));
      SERIN_CHECK(session.store.want_running(service.name, release));
      SERIN_CHECK(session.store.save_split(service.name, {{release.name, 100}}));
      continue;
    }
    if (anything_runs) continue;
    std::vector<ReleaseSpec> known = service.releases;
    known.push_back(service.release);
    for (const ReleaseSpec& plain : known) {
      SERIN_TRY(const std::optional<control::DesiredRelease> desired, session.store.find(service.name, plain.name));
      if (!desired || !desired->running) continue;
      SERIN_TRY(const ReleaseSpec release, with_digest(plain));
      if (release.digest == desired->spec.digest && release.replicas == desired->spec.replicas) continue;
      SERIN_CHECK(session.store.want_stopped(service.name, release.name));
      SERIN_CHECK(session.store.want_running(service.name, release));
    }
  }
  return {};
}

Result<ProcessId> start_agent(RealContext& context, const Session& session, const agent::Places& places) {
  SERIN_TRY(const std::string bin, context.bin());
  return spawn({.command = {bin + "/serin", "--fleet", session.spec.file, "--state", places.state, "agent"},
                .environment = context.environment().all(),
                .output = places.output});
}

Result<FleetStatus> up(RealContext& context, const FleetFlags& flags) {
  SERIN_TRY(const Duration timeout, parse_duration(flags.timeout));
  SERIN_TRY(Session* const session, context.make_session());
  const agent::Places places(session->spec.state);
  Sleeper& sleeper = context.sleeper();
  const bool alive = session->store.check_alive().has_value();
  bool anything_runs = alive;
  if (!alive) {
    SERIN_TRY(const std::vector<control::ObservedReplica> replicas, session->store.replicas());
    for (const control::ObservedReplica& seen : replicas)
      anything_runs = anything_runs || (seen.pid > 0 && is_running({.pid = seen.pid, .started = seen.process_started}));
  }
  SERIN_CHECK(want_releases(*session, anything_runs));
  SERIN_CHECK(session->store.want_down(false));
  std::optional<ProcessId> agent;
  if (!alive) {
    SERIN_CHECK(session->store.save_fact("agent error", ""));
    SERIN_TRY(agent, start_agent(context, *session, places));
  }
  const Deadline deadline = Deadline::after(sleeper.now(), timeout);
  for (;;) {
    // Asked before the database, so that what it wrote at its end is seen.
    const bool ended = agent && !is_running(*agent);
    SERIN_TRY(FleetStatus status, read_status(*session, sleeper));
    if (status.is_ready()) return status;
    if (ended) return pass(agent_error(session->store, places));
    if (deadline.passed(sleeper.now()))
      return fail(Errc::deadline_exceeded,
                  fmt::format("not everything is ready after {}:\n{}", format_duration(timeout), status.troubles()));
    SERIN_CHECK(sleeper.sleep_for(50ms));
  }
}

Status down(RealContext& context) {
  SERIN_TRY(Session* const session, context.session());
  const agent::Places places(session->spec.state);
  // Known by name before it goes, so that its end can be waited for: the lock is free a moment earlier.
  std::optional<ProcessId> agent;
  if (const auto beat = session->store.heartbeat(); beat && *beat)
    if (const Result<ProcessId> process = identify((*beat)->pid)) agent = *process;
  SERIN_CHECK(session->store.want_down(true));
  // Held as long as an agent lives; from then on none can start before this is done.
  SERIN_TRY(const FileLock lock, FileLock::wait(places.lock, 45'000));
  const Deadline patience = Deadline::after(context.patient().now(), 10s);
  while (agent && is_running(*agent) && !patience.passed(context.patient().now()))
    SERIN_CHECK(context.patient().sleep_for(10ms));
  return agent::end_what_is_left(session->store, context.patient());
}

void run_agent_verb(RealContext& context) {
  const auto ended = [&]() -> Status {
    SERIN_TRY(const config::FleetSpec fleet, context.fleet());
    return agent::run_agent(fleet.local(), agent::Places(fleet.state), context.environment(), context.stop(),
                            context.logger());
  }();
  if (!ended) context.fail_with(ended.error());
}

}  // namespace

void add_fleet_verbs(CLI::App& app, RealContext& context) {
  auto flags = std::make_shared<FleetFlags>();
  CLI::App* up_verb =
      app.add_subcommand("up", "Start every service of the fleet behind its router; what runs already stays");
  up_verb->add_option("--timeout", flags->timeout, "How long to wait until everything is ready")->capture_default_str();
  add_json_flag(*up_verb, flags->json);
  up_verb->callback([flags, &context] {
    const Result<FleetStatus> status = up(context, *flags);
    if (!status) return context.fail_with(status.error());
    context.out(flags->json ? to_json(*status) : to_text(*status));
  });

  CLI::App* status_verb =
      app.add_subcommand("status", "Services, their releases, weights read from the router, and measured shares");
  add_json_flag(*status_verb, flags->json);
  status_verb->footer(
      "Exit codes: 0 everything is ready, 2 usage or file, 3 something is not, or nobody looks after the fleet.");
  status_verb->callback([flags, &context] {
    const auto status = [&]() -> Result<FleetStatus> {
      SERIN_TRY(Session* const session, context.session());
      return read_status(*session, context.sleeper());
    }();
    if (!status) return context.fail_with(status.error());
    context.out(flags->json ? to_json(*status) : to_text(*status));
    if (!status->is_ready()) context.finish(Exit::held);
  });

  CLI::App* down_verb = app.add_subcommand("down", "End every process of the fleet; state and data stay");
  add_json_flag(*down_verb, flags->json);
  down_verb->callback([flags, &context] {
    const Status ended = down(context);
    if (!ended) return context.fail_with(ended.error());
    context.out(flags->json ? "{\"down\":true}\n" : "everything has ended\n");
  });

  CLI::App* agent_verb = app.add_subcommand("agent", "Look after the fleet; started by `serin up`");
  agent_verb->group("");  // not for people
  agent_verb->callback([&context] {
    // Its log is a file: the level that is useful there, unless another was asked for.
    if (context.options().log_level == "warn") context.options().log_level = "info";
    run_agent_verb(context);
  });
}

}  // namespace serin::tool
