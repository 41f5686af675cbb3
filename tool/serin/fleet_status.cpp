#include "fleet_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "serin/agent/agent.hpp"
#include "serin/rollout/report.hpp"
#include "serin/rollout/sql_journal.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

constexpr std::int64_t measured_seconds = 60;

/// The worst comes first.
constexpr std::array<ReplicaState, 6> by_severity = {ReplicaState::crash_looping, ReplicaState::exited,
                                                     ReplicaState::not_ready,     ReplicaState::starting,
                                                     ReplicaState::ready,         ReplicaState::stopped};

std::string worst_state(const std::vector<control::ObservedReplica>& replicas) {
  for (const ReplicaState state : by_severity)
    for (const control::ObservedReplica& seen : replicas)
      if (seen.replica.state == state) return std::string(replica_state_name(state));
  return "stopped";
}

struct Counted {
  std::int64_t requests = 0;
  std::int64_t errors = 0;
};

std::map<std::string, Counted> last_minute(Session& session, const ServiceName& service, const Clock& clock) {
  std::map<std::string, Counted> counted;
  const std::int64_t now = std::chrono::floor<std::chrono::seconds>(clock.now().time_since_epoch()).count();
  const Result<TrafficWindow> window = session.store.traffic(service, now - measured_seconds);
  if (!window) return counted;
  for (const TrafficSecond& second : window->seconds)
    for (const TrafficCount& count : second.counts) {
      counted[count.release.str()].requests += count.requests;
      counted[count.release.str()].errors += count.errors;
    }
  return counted;
}

Result<std::optional<RolloutStatus>> read_rollout(rollout::Journal& journal, const ServiceName& service) {
  SERIN_TRY(const std::vector<rollout::Record> newest, journal.history(service, 1));
  if (newest.empty() || rollout::is_final(newest.front().progress.state)) return std::nullopt;
  const rollout::Record& record = newest.front();
  rollout::Report report = rollout::make_report(record);
  return RolloutStatus{.id = record.id,
                       .release = record.candidate.name.str(),
                       .state = std::string(rollout::state_name(record.progress.state)),
                       .percent = rollout::percent_of(record.plan.stages, record.progress.stage),
                       .reason = record.progress.reason,
                       .paused = std::move(report.paused),
                       .awaits = std::move(report.awaits)};
}

Result<ServiceStatus> read_service(Session& session, const config::ServiceSpec& service,
                                   const std::vector<control::DesiredRelease>& desired,
                                   const std::vector<control::ObservedReplica>& replicas, bool watched,
                                   const Clock& clock) {
  ServiceStatus out{.name = service.name.str(), .url = {}, .split_error = {}, .releases = {}, .rollout = {}};
  if (const Result<std::string> address = agent::service_address(session.store, service))
    out.url = "http://" + *address;
  const Result<Split> split = session.router.read(service.name, Deadline::after(clock.now(), 2s));
  if (!split) out.split_error = split.error().detail();
  std::map<std::string, Counted> counted = last_minute(session, service.name, clock);
  std::int64_t all = 0;
  for (const auto& [release, count] : counted) all += count.requests;
  for (const control::DesiredRelease& release : desired) {
    if (release.service != service.name) continue;
    ReleaseStatus status{.name = release.spec.name.str(),
                         .url = {},
                         .state = {},
                         .digest = release.spec.digest,
                         .version = {},
                         .replicas_wanted = release.running ? release.spec.replicas : 0,
                         .replicas = {}};
    for (const control::ObservedReplica& seen : replicas)
      if (seen.service == service.name && seen.release == release.spec.name) status.replicas.push_back(seen);
    if (!release.running && status.replicas.empty()) continue;
    if (const auto version = release.spec.labels.find("version"); version != release.spec.labels.end())
      status.version = version->second;
    for (const control::ObservedReplica& seen : status.replicas)
      if (status.url.empty() && !seen.replica.address.empty()) status.url = "http://" + seen.replica.address;
    if (split)
      for (const Share& share : *split)
        if (share.release == release.spec.name) status.weight = share.percent;
    status.requests = counted[status.name].requests;
    status.errors = counted[status.name].errors;
    status.share = all > 0 ? 100.0 * static_cast<double>(status.requests) / static_cast<double>(all) : status.weight;
    status.state = watched ? worst_state(status.replicas) : "unknown";
    out.releases.push_back(std::move(status));
  }
  return out;
}

}  // namespace

bool FleetStatus::is_ready() const noexcept { return troubles().empty(); }

std::string FleetStatus::troubles() const {
  std::string out;
  if (!agent_error.empty()) out += agent_error + "\n";
  for (const ServiceStatus& service : services) {
    if (!service.split_error.empty()) out += fmt::format("{}: {}\n", service.name, service.split_error);
    if (service.releases.empty()) out += fmt::format("{}: no release runs\n", service.name);
    for (const ReleaseStatus& release : service.releases) {
      const auto ready = std::ranges::count_if(release.replicas, [](const control::ObservedReplica& seen) {
        return seen.replica.state == ReplicaState::ready;
      });
      if (ready >= release.replicas_wanted) continue;
      out += fmt::format("{} {}: {} of {} replicas ready", service.name, release.name, ready, release.replicas_wanted);
      for (const control::ObservedReplica& seen : release.replicas)
        if (seen.replica.state != ReplicaState::ready && !seen.replica.reason.empty())
          out += fmt::format("; {} {}: {} (output: {})", seen.replica.name, replica_state_name(seen.replica.state),
                             seen.replica.reason, seen.replica.log);
      out += "\n";
    }
  }
  return out;
}

Result<FleetStatus> read_status(Session& session, const Clock& clock) {
  FleetStatus status{.fleet = session.spec.name, .file = session.spec.file, .agent_error = {}, .services = {}};
  SERIN_TRY(const std::optional<control::Heartbeat> heartbeat, session.store.heartbeat());
  if (heartbeat) status.agent_pid = heartbeat->pid;
  const Status alive = session.store.check_alive();
  if (!alive) {
    status.agent_pid = 0;
    status.agent_error = alive.error().detail();
  }
  SERIN_TRY(const std::vector<control::DesiredRelease> desired, session.store.desired());
  SERIN_TRY(const std::vector<control::ObservedReplica> replicas, session.store.replicas());
  SERIN_TRY(const std::unique_ptr<rollout::SqlJournal> journal, rollout::SqlJournal::open(session.state, clock));
  for (const config::ServiceSpec& service : session.spec.services) {
    if (!service.target.is_local()) continue;
    SERIN_TRY(ServiceStatus read, read_service(session, service, desired, replicas, alive.has_value(), clock));
    SERIN_TRY(read.rollout, read_rollout(*journal, service.name));
    status.services.push_back(std::move(read));
  }
  return status;
}

std::string to_json(const FleetStatus& status) {
  json::array services;
  for (const ServiceStatus& service : status.services) {
    json::array releases;
    for (const ReleaseStatus& release : service.releases) {
      json::array replicas;
      for (const control::ObservedReplica& seen : release.replicas)
        replicas.push_back(json::object{{"name", seen.replica.name},
                                        {"url", seen.replica.address.empty() ? "" : "http://" + seen.replica.address},
                                        {"state", std::string(replica_state_name(seen.replica.state))},
                                        {"pid", seen.pid},
                                        {"restarts", seen.replica.restarts},
                                        {"reason", seen.replica.reason},
                                        {"log", seen.replica.log}});
      releases.push_back(json::object{{"name", release.name},
                                      {"url", release.url},
                                      {"weight", release.weight},
                                      {"share", release.share},
                                      {"state", release.state},
                                      {"digest", release.digest},
                                      {"version", release.version},
                                      {"requests_last_minute", release.requests},
                                      {"errors_last_minute", release.errors},
                                      {"replicas", std::move(replicas)}});
    }
    json::object entry{{"name", service.name}, {"url", service.url}, {"releases", std::move(releases)}};
    if (!service.split_error.empty()) entry["error"] = service.split_error;
    if (service.rollout)
      entry["rollout"] = json::object{{"id", service.rollout->id},         {"release", service.rollout->release},
                                      {"state", service.rollout->state},   {"percent", service.rollout->percent},
                                      {"reason", service.rollout->reason}, {"paused", service.rollout->paused},
                                      {"awaits", service.rollout->awaits}};
    services.push_back(std::move(entry));
  }
  json::object agent{{"pid", status.agent_pid}, {"alive", status.agent_error.empty()}};
  if (!status.agent_error.empty()) agent["error"] = status.agent_error;
  return json::serialize(json::object{{"fleet", status.fleet},
                                      {"file", status.file},
                                      {"agent", std::move(agent)},
                                      {"services", std::move(services)}}) +
         "\n";
}

std::string to_text(const FleetStatus& status) {
  std::string out = fmt::format("{:<24} {:<10} {:>7} {:>7} {:<14} {:<9} {}\n", "SERVICE", "RELEASE", "WEIGHT", "SHARE",
                                "STATE", "VERSION", "ADDRESS");
  for (const ServiceStatus& service : status.services) {
    out += fmt::format("{:<24} {:<10} {:>7} {:>7} {:<14} {:<9} {}\n", service.name, "", "", "", "", "", service.url);
    for (const ReleaseStatus& release : service.releases)
      out += fmt::format("{:<24} {:<10} {:>6.4g}% {:>6.4g}% {:<14} {:<9} {}\n", "", release.name, release.weight,
                         release.share, release.state, release.version, release.url);
    if (!service.rollout) continue;
    const RolloutStatus& rollout = *service.rollout;
    const std::string& why = !rollout.paused.empty()   ? rollout.paused
                             : !rollout.awaits.empty() ? rollout.awaits
                                                       : rollout.reason;
    out += fmt::format("{:<24} rollout {} to {}: {} at {:.4g} %{}{}\n", "", rollout.id, rollout.release, rollout.state,
                       rollout.percent, why.empty() ? "" : ", ", why);
  }
  const std::string troubles = status.troubles();
  return troubles.empty() ? out : out + "\n" + troubles;
}

}  // namespace serin::tool
