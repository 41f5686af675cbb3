#include "serin/agent/agent.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "serin/agent/pushes.hpp"
#include "serin/agent/real_machine.hpp"
#include "serin/agent/recorder.hpp"
#include "serin/agent/router_process.hpp"
#include "serin/agent/targets.hpp"
#include "serin/base/text.hpp"
#include "serin/http/session.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/files.hpp"
#include "serin/system/random.hpp"

namespace serin::agent {
namespace {

constexpr Duration round = 50ms;
constexpr Duration beat_every = 500ms;
constexpr off_t reserved_bytes = 4 << 20;        // room for a few hundred writes of the control database
constexpr std::size_t longest_socket_path = 90;  // the kernel's limit is 107, and HAProxy adds a suffix while it starts

MachineOptions machine_options(const config::FleetSpec& fleet, const Places& places, const Environment& environment,
                               const std::map<std::string, std::string>& urls) {
  MachineOptions options{.logs = places.logs,
                         .environment = {},
                         .fleet_environment = fleet.environment,
                         .log_level = environment.value_or("LOG_LEVEL", "info")};
  for (const std::string name : {"PATH", "HOME", "LANG", "TZ", "TMPDIR"})
    if (const std::optional<std::string> value = environment.value(name)) options.environment[name] = *value;
  options.environment["SERIN_STATE"] = fleet.state;
  options.environment["SERIN_WAREHOUSE"] = fleet.warehouse;
  options.environment["SERIN_BUS"] = fleet.bus;
  options.environment["SERIN_DOCUMENTS"] = fleet.documents;
  if (!fleet.resilience.empty()) options.environment["SERIN_RESILIENCE"] = fleet.resilience;
  for (const auto& [service, url] : urls) {
    std::string name = "SERIN_URL_";
    for (const char c : service)
      name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    options.environment[name] = url;
  }
  return options;
}

/// The agent at work. Threads: one.
class Agent {
 public:
  Agent(const config::FleetSpec& fleet, const Places& places, const Environment& environment, StopSignal& stop,
        Logger logger)
      : fleet_(fleet), places_(places), environment_(environment), stop_(stop), logger_(std::move(logger)) {}
  Status run();

 private:
  Status open();
  Status round_of_work();
  Status reconcile_router();
  Status save();
  void tell_prometheus(const std::vector<control::ObservedReplica>& seen);
  void end_everything();

  const config::FleetSpec& fleet_;
  const Places& places_;
  const Environment& environment_;
  StopSignal& stop_;
  Logger logger_;
  SystemSleeper sleeper_{stop_};
  PatientSleeper patient_;
  std::unique_ptr<SqliteSql> sql_;
  std::unique_ptr<control::ControlStore> store_;
  SystemRandom random_;
  std::unique_ptr<http::Session> http_;
  std::unique_ptr<guard::Target> router_target_;
  std::unique_ptr<haproxy::TrafficCounter> counter_;
  std::unique_ptr<RouterProcess> router_process_;
  std::unique_ptr<HaproxyRouter> router_;
  std::unique_ptr<RealMachine> machine_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Pushes> pushes_;
  TargetsFile targets_{places_.targets};
  std::string targets_error_;
  std::vector<control::ObservedReplica> saved_;
  Instant beaten_ = Instant::min();
  bool stopping_ = false;
  std::string last_error_;
};

Status Agent::open() {
  SERIN_TRY(sql_, SqliteSql::open({.path = places_.database}, sleeper_));
  SERIN_TRY(store_, control::ControlStore::open(*sql_, sleeper_));
  http_ = std::make_unique<http::Session>(sleeper_);
  std::vector<std::string> services;
  for (const config::ServiceSpec& service : fleet_.services) services.push_back(service.name.str());
  counter_ = std::make_unique<haproxy::TrafficCounter>(std::move(services));
  router_process_ =
      std::make_unique<RouterProcess>(fleet_, places_, *store_, *counter_, environment_, sleeper_, logger_);
  SERIN_CHECK(router_process_->start());
  router_ = std::make_unique<HaproxyRouter>(make_router(places_, *store_, sleeper_));
  SERIN_TRY(router_target_, router_target(patient_, random_));

  std::map<std::string, std::string> urls;
  for (const config::ServiceSpec& service : fleet_.services) {
    SERIN_TRY(const std::string address, service_address(*store_, service));
    urls[service.name.str()] = "http://" + address;
  }
  machine_ = std::make_unique<RealMachine>(machine_options(fleet_, places_, environment_, urls), *http_, sleeper_);
  supervisor_ = std::make_unique<Supervisor>(*machine_);
  SERIN_TRY(const std::vector<control::ObservedReplica> seen, store_->replicas());
  SERIN_TRY(const std::vector<control::DesiredRelease> desired, store_->desired());
  supervisor_->adopt(seen, desired, sleeper_.now());
  recorder_ = std::make_unique<Recorder>(
      router_->socket(), *counter_, *store_, sleeper_, [this] { return router_process_->run(); }, logger_);
  SERIN_TRY(pushes_, Pushes::start(fleet_, urls, *http_, sleeper_, random_, logger_));
  logger_.info("agent started", {{"pid", getpid()}, {"fleet", fleet_.name}, {"adopted", seen.size()}});
  return {};
}

Status Agent::save() {
  const Instant now = sleeper_.now();
  const std::vector<control::ObservedReplica> seen = supervisor_->replicas();
  if (seen != saved_) {
    SERIN_CHECK(store_->save_replicas(seen));
    saved_ = seen;
  }
  tell_prometheus(seen);
  if (beaten_ != Instant::min() && now - beaten_ < beat_every) return {};
  SERIN_CHECK(store_->beat({.pid = getpid(), .at = now, .stopping = stopping_}));
  std::vector<guard::NamedState> states = pushes_ ? pushes_->states() : std::vector<guard::NamedState>();
  states.push_back({.name = router_target_->name(), .state = router_target_->state()});
  SERIN_CHECK(store_->save_fact(resilience_fact, guard::to_json(states)));
  beaten_ = now;
  return {};
}

// Monitoring alone depends on it: what goes wrong is said once, and the round goes on.
void Agent::tell_prometheus(const std::vector<control::ObservedReplica>& seen) {
  const Status written = targets_.update(seen);
  const std::string error = written ? "" : written.error().text();
  if (!error.empty() && error != targets_error_)
    logger_.error("what Prometheus scrapes could not be written", {{"error", error}});
  targets_error_ = error;
}

Status Agent::reconcile_router() {
  const Deadline deadline = Deadline::after(sleeper_.now(), 1s);
  std::map<std::string, std::vector<WantedServer>> wanted;
  for (const control::ObservedReplica& seen : supervisor_->replicas())
    if (!seen.replica.address.empty())
      wanted[seen.service.str()].push_back({.name = seen.replica.name,
                                            .address = seen.replica.address,
                                            .ready = seen.replica.state == ReplicaState::ready});
  for (const config::ServiceSpec& service : fleet_.services)
    SERIN_CHECK(router_target_->run(Idempotency::idempotent, deadline, [&](const guard::Context& attempt) {
      return router_->reconcile(service.name, wanted[service.name.str()], attempt.deadline);
    }));
  return {};
}

Status Agent::round_of_work() {
  router_process_->look(sleeper_.now());
  SERIN_TRY(const std::vector<control::DesiredRelease> desired, store_->desired());
  supervisor_->tick(desired, sleeper_.now());
  // Known before it is acted on: an agent that dies now leaves no process that nobody knows of for longer than a round.
  SERIN_CHECK(save());
  return reconcile_router();
}

Status Agent::run() {
  if (const Status opened = open(); !opened) {
    if (store_)
      static_cast<void>(store_->save_fact(
          "agent error", fmt::format("{} {}", errc_name(opened.error().code()), opened.error().detail())));
    return opened;
  }
  SERIN_CHECK(store_->save_fact("agent error", ""));
  for (;;) {
    const Result<bool> down = store_->is_down_wanted();
    if (stop_.requested() || (down && *down)) break;
    const Status worked = round_of_work();
    const std::string error = worked ? "" : worked.error().text();
    if (error != last_error_) {
      if (worked)
        logger_.info("agent works again");
      else
        logger_.error("agent's round failed", {{"error", error}});
      last_error_ = error;
    }
    static_cast<void>(sleeper_.sleep_for(round));
  }
  end_everything();
  return {};
}

void Agent::end_everything() {
  logger_.info("agent stops");
  stop_.clear();
  stopping_ = true;
  pushes_.reset();
  const Deadline patience = Deadline::after(sleeper_.now(), 30s);
  while (!supervisor_->is_idle() && !patience.passed(sleeper_.now())) {
    supervisor_->tick({}, sleeper_.now());
    static_cast<void>(save());
    static_cast<void>(reconcile_router());
    static_cast<void>(patient_.sleep_for(20ms));
  }
  static_cast<void>(save());
  recorder_.reset();
  router_process_->stop(patient_);
  static_cast<void>(store_->end_beats());
  logger_.info("agent stopped", {{"left", supervisor_->replicas().size()}});
}

/// Without it a full disk is still said, and traffic still restored; only the next start of the router would not know.
void keep_reserve(const std::string& path, const Logger& logger) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const int error = file < 0 ? errno : posix_fallocate(file, 0, reserved_bytes);
  if (file >= 0) ::close(file);
  if (error == 0) return;
  unlink(path.c_str());
  logger.warn("no space for the reserve", {{"file", path}, {"error", std::strerror(error)}});
}

}  // namespace

Places::Places(std::string folder)
    : state(std::move(folder)),
      database(state + "/state.db"),
      logs(state + "/logs"),
      lock(state + "/agent.lock"),
      output(state + "/agent.log"),
      router(state + "/router"),
      weights_lock(state + "/weights.lock"),
      reserve(state + "/reserve"),
      targets(state + "/monitoring/targets.json"),
      socket(router + "/socket") {
  // A path of its own for each state folder, in a place that is short on every machine.
  if (socket.size() > longest_socket_path) socket = fmt::format("/tmp/serin-{}.socket", fingerprint(state));
}

Result<std::unique_ptr<guard::Target>> router_target(Sleeper& sleeper, Random& random) {
  SERIN_TRY(const guard::TargetPolicy policy, guard::usual_policy("interactive"));
  SERIN_TRY(std::unique_ptr<guard::Target> target, guard::Target::make("haproxy", sleeper, random, policy));
  target->breaker()->set_override(breaker::Override::metrics_only, sleeper.now());
  return target;
}

HaproxyRouter make_router(const Places& places, control::ControlStore& store, const Clock& clock) {
  return HaproxyRouter({.socket = places.socket,
                        .lock_file = places.weights_lock,
                        .load_split = [&store](const ServiceName& service) { return store.split(service); },
                        .save_split =
                            [&store, reserve = places.reserve](const ServiceName& service, const Split& split) {
                              Status saved = store.save_split(service, split);
                              // What the router has now must be what it gets back after its next start.
                              if (!saved && saved.error().code() == Errc::exhausted && unlink(reserve.c_str()) == 0)
                                saved = store.save_split(service, split);
                              return saved;
                            }},
                       clock);
}

Status run_agent(const config::FleetSpec& fleet, const Places& places, const Environment& environment, StopSignal& stop,
                 Logger logger) {
  SERIN_CHECK(make_folders(places.state));
  SERIN_TRY(const FileLock lock, FileLock::acquire(places.lock, fmt::format("the agent, process {}", getpid())));
  keep_reserve(places.reserve, logger);
  Agent agent(fleet, places, environment, stop, std::move(logger));
  return agent.run();
}

Status end_what_is_left(control::ControlStore& store, Sleeper& sleeper) {
  SERIN_TRY(const std::vector<control::ObservedReplica> replicas, store.replicas());
  std::vector<ProcessId> left;
  for (const control::ObservedReplica& seen : replicas)
    if (seen.pid > 0) left.push_back({.pid = seen.pid, .started = seen.process_started});
  SERIN_TRY(const std::optional<std::string> router, store.fact("router process"));
  if (router) {
    const std::vector<std::string_view> words = split(*router, ' ');
    if (words.size() == 2)
      left.push_back({.pid = static_cast<int>(to_int(words[0]).value_or(0)), .started = to_int(words[1]).value_or(0)});
  }
  std::erase_if(left, [](const ProcessId& process) { return !is_running(process); });
  for (const ProcessId& process : left) static_cast<void>(send_signal_to_group(process, SIGTERM));
  const Instant began = sleeper.now();
  bool killed = false;
  while (!left.empty()) {
    const Duration waited = sleeper.now() - began;
    if (waited > 30s) return fail(Errc::deadline_exceeded, fmt::format("process {} does not end", left.front().pid));
    if (waited > 20s && !killed) {
      for (const ProcessId& process : left) static_cast<void>(send_signal_to_group(process, SIGKILL));
      killed = true;
    }
    SERIN_CHECK(sleeper.sleep_for(20ms));
    std::erase_if(left, [](const ProcessId& process) { return !is_running(process); });
  }
  return store.save_replicas({});
}

}  // namespace serin::agent
