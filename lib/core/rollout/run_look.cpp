// What a rollout looks at while a stage lasts, and how it takes up again what was interrupted.
#include <fmt/format.h>

#include <algorithm>

#include "run.hpp"
#include "serin/rollout/split.hpp"

namespace serin::rollout {
namespace {

// A router that was started again has its weights back within a second; another's change stays.
constexpr Duration foreign_grace = 2s;

/// The first split was written down and nothing says that the router ever had it: setting it now is the same action,
/// not a second one.
bool first_split_is_only_intended(const Record& record) {
  const auto is_split = [](const Event& event) { return event.kind == EventKind::set_split; };
  return std::ranges::any_of(record.events, is_split) &&
         std::ranges::none_of(record.events, [&](const Event& event) { return is_split(event) && event.done; });
}

}  // namespace

bool Run::lasting(std::string_view what, const std::string& trouble, Duration limit) {
  const auto found = since_.find(what);
  if (trouble.empty()) {
    if (found != since_.end()) since_.erase(found);
    return false;
  }
  const Instant began = found == since_.end() ? since_.emplace(std::string(what), now()).first->second : found->second;
  return now() - began >= limit;
}

void Run::blind(Sight& sight, std::string_view what, const std::string& trouble) {
  if (lasting(what, trouble, plan_.blind_timeout))
    sight.blind = fmt::format("{} for {} or longer: {}", what, format_duration(plan_.blind_timeout), trouble);
}

Result<Sight> Run::look(bool traffic, bool last) {
  Sight sight{.now = now(),
              .entered = entered_at_,
              .ends = ends_,
              .extensions = extensions_,
              .last = last,
              .traffic = traffic,
              .baseline_dead = {},
              .foreign_split = {},
              .candidate_fault = {},
              .blind = {},
              .findings = {}};
  const Status allowed = may_act();
  if (fenced_) return pass(allowed.error());
  blind(sight, "it was not known whether this rollout may still act", allowed ? "" : allowed.error().text());
  absorb_traffic(sight);
  const Status written = ports_.journal.add(record_.id, unwritten_);
  if (written) unwritten_.clear();
  if (lasting("journal", written ? "" : written.error().text(), plan_.blind_timeout))
    return pass(written.error().in("the evidence cannot be written down"));
  look_at_replicas(sight);
  look_at_router(sight);
  sight.findings = evidence_.findings();
  return sight;
}

void Run::absorb_traffic(Sight& sight) {
  const Result<TrafficWindow> window =
      ports_.traffic.read(record_.service, last_second_, Deadline::after(sight.now, plan_.call_timeout));
  std::string trouble;
  if (!window) {
    trouble = window.error().text();
  } else {
    for (const TrafficSecond& second : window->seconds) {
      if (second.second <= last_second_) continue;
      const bool before_entry = second.second <= second_of(entered_at_);
      const int stage = before_entry ? std::max(-1, record_.progress.stage - 1) : record_.progress.stage;
      Bucket bucket = make_bucket(second, record_.candidate.name, stage);
      evidence_.add(bucket);
      last_second_ = second.second;
      record_.buckets.push_back(bucket);
      unwritten_.push_back(bucket);
      ports_.observer.on_evidence(record_, bucket);
    }
    const std::int64_t late = second_of(sight.now) - window->complete;
    if (window->complete < 0 || std::chrono::seconds(late) > plan_.blind_timeout)
      trouble = window->complete < 0 ? "no second was counted yet"
                                     : fmt::format("the newest counted second is {} s old", late);
    // Requests of a stage's last second are part of the stage.
    sight.counted = window->complete >= second_of(sight.ends) - 1;
  }
  if (!trouble.empty()) sight.counted = false;
  blind(sight, "the traffic could not be counted", trouble);
}

void Run::look_at_replicas(Sight& sight) {
  const Deadline soon = Deadline::after(sight.now, plan_.call_timeout);
  const Result<std::vector<Replica>> candidate =
      ports_.platform.replicas(record_.service, record_.candidate.name, soon);
  const Result<std::vector<Replica>> baseline = ports_.platform.replicas(record_.service, record_.baseline, soon);
  if (candidate) {
    const Condition condition = condition_of(*candidate, record_.candidate.replicas, restarts_);
    if (!condition.fault.empty())
      sight.candidate_fault = condition.fault;
    else if (lasting("readiness", condition.not_ready, plan_.readiness_grace))
      sight.candidate_fault = fmt::format("lost its readiness: {}", condition.not_ready);
  }
  if (baseline) {
    const bool alive = std::ranges::any_of(*baseline, [](const Replica& r) { return r.state == ReplicaState::ready; });
    const std::string dead = alive ? std::string() : replicas_text(*baseline);
    if (lasting("baseline", dead, plan_.readiness_grace)) sight.baseline_dead = dead;
  }
  blind(sight, "it was not known what runs",
        !candidate ? candidate.error().text() : (!baseline ? baseline.error().text() : std::string()));
}

void Run::look_at_router(Sight& sight) {
  const Result<Split> seen = ports_.router.read(record_.service, Deadline::after(sight.now, plan_.call_timeout));
  const Split wanted = sight.traffic ? expected() : record_.before;
  if (seen) {
    const std::string foreign =
        same_split(*seen, wanted)
            ? std::string()
            : fmt::format(
                  "the router has {}, although this rollout set {}: somebody else changed it, so it is left as it is",
                  split_text(*seen), split_text(wanted));
    if (lasting("split", foreign, foreign_grace)) sight.foreign_split = foreign;
  }
  blind(sight, "the router could not be read", seen ? std::string() : seen.error().text());
}

Status Run::take_up() {
  SERIN_CHECK(may_act());
  // The evidence first, in the order in which it came. A stage counts its own seconds only, so entering it before or
  // after the late seconds of the one before makes no difference.
  std::size_t next = 0;
  const auto add_until = [&](std::int64_t second) {
    for (; next < record_.buckets.size() && record_.buckets[next].second <= second; ++next) {
      Bucket bucket = record_.buckets[next];
      evidence_.add(bucket);
      last_second_ = bucket.second;
    }
  };
  const Event* entry = nullptr;
  int extensions = 0;
  bool clock_restarted = false;
  for (const Event& event : record_.events) {
    clock_restarted = clock_restarted || event.at > now();
    if (event.kind == EventKind::set_split || event.kind == EventKind::hold) {
      entry = nullptr;
      forget_orders();
    }
    if (event.kind == EventKind::await) await_ = Pause{.since = event.at, .words = event.text};
    if (event.order && event.obeyed) obey(*event.order, event.at);
    if (event.kind == EventKind::extend_stage) ++extensions;
    if (event.kind != EventKind::enter_stage && event.kind != EventKind::enter_zero) continue;
    add_until(second_of(event.at));
    const bool stage = event.kind == EventKind::enter_stage;
    evidence_.enter(stage ? percent_of(plan_.stages, event.stage) : 0, second_of(event.at));
    entry = stage ? &event : nullptr;
    extensions = 0;
  }
  add_until(INT64_MAX);

  Progress& progress = record_.progress;
  const bool was_held = progress.state == State::held;
  if (was_held) progress.state = progress.held_in;
  if (progress.state == State::rollback_incomplete) progress.state = State::restoring;
  std::optional<Instant> entered;
  if (entry != nullptr && !was_held && entry->stage == progress.stage) entered = entry->at;
  SERIN_CHECK(say(EventKind::resume, was_held ? "taken up by hand" : "taken up after an interruption"));
  if (pause_) ports_.observer.on_note(fmt::format("still {}: `serin resume` ends that", pause_->words));
  if (progress.state != State::stage && progress.state != State::promoting) return {};

  if (clock_restarted) {
    go_back(EventKind::note, "the machine was started anew in the middle of the rollout");
    return {};
  }
  SERIN_TRY(const Split seen, ports_.router.read(record_.service, Deadline::after(now(), plan_.call_timeout)));
  const bool unmoved = same_split(seen, record_.before);
  if (unmoved && !first_split_is_only_intended(record_)) {
    go_back(EventKind::note, "interrupted; the traffic was as before when it was taken up");
    return {};
  }
  bool ours = unmoved || same_split(seen, canary_split(record_.baseline, record_.candidate.name, 100));
  for (const double percent : plan_.stages)
    ours = ours || same_split(seen, canary_split(record_.baseline, record_.candidate.name, percent));
  if (!ours)
    return hold(
        fmt::format("the router has {}, which this rollout never set: somebody else changed it, so it is left as it is",
                    split_text(seen)));
  const Result<std::vector<Replica>> replicas =
      ports_.platform.replicas(record_.service, record_.candidate.name, Deadline::after(now(), plan_.call_timeout));
  if (replicas) {
    restarts_ = 0;
    for (const Replica& replica : *replicas) restarts_ += replica.restarts;
  }
  if (progress.state == State::stage && entered && same_split(seen, expected())) {
    entered_ = true;
    extensions_ = extensions;
    entered_at_ = *entered;
    ends_ = *entered + plan_.monitoring_duration * (1 + extensions) + stood_;
    ports_.observer.on_stage(record_, percent());
  }
  return {};
}

}  // namespace serin::rollout
