#include "serin/agent/supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <set>

namespace serin::agent {

void Supervisor::set_process(Slot& slot, const ProcessId& process, Instant now) {
  slot.process = process;
  slot.key = fmt::format("{}/{}/{}.{}", slot.seen.service, slot.seen.replica.name, process.pid, process.started);
  slot.started = now;
  slot.misses = 0;
  slot.was_ready = false;
  slot.seen.pid = process.pid;
  slot.seen.process_started = process.started;
}

void Supervisor::adopt(const std::vector<control::ObservedReplica>& seen,
                       const std::vector<control::DesiredRelease>& desired, Instant now) {
  for (const control::ObservedReplica& replica : seen) {
    const auto release = std::ranges::find_if(desired, [&](const control::DesiredRelease& d) {
      return d.service == replica.service && d.spec.name == replica.release;
    });
    if (release == desired.end()) continue;
    Slot slot{.spec = release->spec,
              .seen = replica,
              .process = {},
              .key = {},
              .started = now,
              .ends = {},
              .leaving = {},
              .terminated = {}};
    if (replica.pid > 0) {
      const bool ready = replica.replica.state == ReplicaState::ready;
      set_process(slot, {.pid = replica.pid, .started = replica.process_started}, now);
      slot.was_ready = ready;  // it stays in rotation until a look says otherwise
    }
    slots_.emplace(Key{replica.service, replica.release, replica.index}, std::move(slot));
  }
}

void Supervisor::look_for_end(Slot& slot, Instant now) {
  if (!slot.process) return;
  const std::optional<ProcessEnd> ended = machine_.end_of(*slot.process);
  if (!ended) return;
  slot.process.reset();
  slot.seen.pid = 0;
  slot.seen.process_started = 0;
  if (slot.leaving) return;  // as it was told to
  Replica& replica = slot.seen.replica;
  ++replica.restarts;
  const std::string words = machine_.last_words(replica.log);
  replica.reason = words.empty() ? ended->text() : fmt::format("{}: {}", ended->text(), words);
  slot.ends.push_back(now);
  while (!slot.ends.empty() && now - slot.ends.front() > options_.window) slot.ends.pop_front();
  const int recent = static_cast<int>(slot.ends.size());
  const bool hopeless = (!slot.was_ready && recent >= options_.ends_before_ready) || recent >= options_.ends_in_window;
  replica.state = hopeless ? ReplicaState::crash_looping : ReplicaState::exited;
  Duration wait = options_.restart_backoff;
  for (int i = 1; i < recent && wait < options_.restart_backoff_most; ++i) wait *= 2;
  slot.next_start = now + std::min(wait, options_.restart_backoff_most);
}

void Supervisor::start(Slot& slot, Instant now) {
  Replica& replica = slot.seen.replica;
  const auto failed = [&](const Error& error) {
    replica.state = ReplicaState::exited;
    replica.reason = error.text();
    ++replica.restarts;
    slot.ends.push_back(now);
    if (static_cast<int>(slot.ends.size()) >= options_.ends_before_ready) replica.state = ReplicaState::crash_looping;
    slot.next_start = now + options_.restart_backoff;
  };
  const Result<std::uint16_t> port = machine_.free_port();
  if (!port) return failed(port.error());
  const Result<ProcessId> process = machine_.start(slot.seen.service, slot.spec, replica.name, *port, replica.log);
  if (!process) return failed(process.error());
  replica.address = fmt::format("127.0.0.1:{}", *port);
  replica.state = ReplicaState::starting;
  set_process(slot, *process, now);
}

void Supervisor::watch(Slot& slot, Instant now) {
  Replica& replica = slot.seen.replica;
  if (slot.probed == Instant::min() || now - slot.probed >= options_.probe_every) {
    machine_.begin_probe(slot.key, replica.address, slot.spec.ready_path);
    slot.probed = now;
  }
  const std::optional<Probe> probe = machine_.last_probe(slot.key);
  if (!probe || probe->began <= slot.judged) return;
  slot.judged = probe->began;
  if (probe->ready) {
    slot.misses = 0;
    slot.was_ready = true;
    replica.state = ReplicaState::ready;
    replica.reason.clear();
    return;
  }
  ++slot.misses;
  // A process that says "not ready" is believed at once; one that says nothing may only be slow for a moment.
  if (replica.state == ReplicaState::ready && !probe->answered && slot.misses < options_.missed_probes) return;
  if (replica.state == ReplicaState::ready) replica.state = ReplicaState::not_ready;
  replica.reason = fmt::format("GET {}: {}", slot.spec.ready_path, probe->reason);
}

void Supervisor::end(Slot& slot, Instant now) {
  if (!slot.leaving) {
    // The router takes it out of rotation before the process hears of it: nobody's request meets a closed door.
    slot.leaving = now;
    slot.seen.replica.state = ReplicaState::stopped;
    slot.seen.replica.reason.clear();
    return;
  }
  if (!slot.process) return;
  if (!slot.terminated) {
    machine_.signal(*slot.process, SIGTERM);
    slot.terminated = now;
  } else if (!slot.killed && now - *slot.terminated >= options_.stop_timeout) {
    machine_.signal(*slot.process, SIGKILL);
    slot.killed = true;
  }
}

void Supervisor::tick(const std::vector<control::DesiredRelease>& desired, Instant now) {
  std::set<Key> wanted;
  for (const control::DesiredRelease& release : desired) {
    if (!release.running) continue;
    for (int index = 0; index < release.spec.replicas; ++index) {
      const Key key{release.service, release.spec.name, index};
      wanted.insert(key);
      const auto found = slots_.find(key);
      if (found != slots_.end()) {
        if (!found->second.leaving) found->second.spec = release.spec;
        continue;
      }
      const std::string name = fmt::format("{}-{}", release.spec.name, index);
      Slot slot{.spec = release.spec,
                .seen = {.service = release.service,
                         .release = release.spec.name,
                         .index = index,
                         .replica = {.name = name,
                                     .address = {},
                                     .reason = {},
                                     .log = machine_.log_of(release.service, name)}},
                .process = {},
                .key = {},
                .started = now,
                .ends = {},
                .leaving = {},
                .terminated = {}};
      slots_.emplace(key, std::move(slot));
    }
  }
  for (auto at = slots_.begin(); at != slots_.end();) {
    Slot& slot = at->second;
    look_for_end(slot, now);
    // One that is leaving leaves, also when it is wanted again meanwhile: then a new one takes its place.
    if (slot.leaving || !wanted.contains(at->first)) {
      end(slot, now);
      if (!slot.process) {
        at = slots_.erase(at);
        continue;
      }
    } else if (slot.process) {
      watch(slot, now);
    } else if (slot.seen.replica.state != ReplicaState::crash_looping && now >= slot.next_start) {
      start(slot, now);
    }
    ++at;
  }
}

std::vector<control::ObservedReplica> Supervisor::replicas() const {
  std::vector<control::ObservedReplica> seen;
  for (const auto& [key, slot] : slots_) seen.push_back(slot.seen);
  return seen;
}

}  // namespace serin::agent
