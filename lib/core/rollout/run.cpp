// The steps of a rollout from state to state. What is seen while a stage lasts: run_look.cpp.
#include "run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "serin/rollout/probe.hpp"
#include "serin/rollout/split.hpp"

namespace serin::rollout {
namespace {

constexpr int polls_a_look = 5;  // while something is awaited
constexpr Duration least_probe_timeout = 10s;

std::int64_t restarts_of(const std::vector<Replica>& replicas) {
  std::int64_t restarts = 0;
  for (const Replica& replica : replicas) restarts += replica.restarts;
  return restarts;
}

}  // namespace

Result<std::int64_t> start_and_wait(const Ports& ports, const ServiceName& service, const ReleaseSpec& release,
                                    const PlanOptions& plan) {
  SERIN_CHECK(ports.platform.start(service, release, Deadline::after(ports.sleeper.now(), plan.call_timeout)));
  const Deadline until = Deadline::after(ports.sleeper.now(), plan.ready_timeout);
  for (;;) {
    Result<std::vector<Replica>> replicas =
        ports.platform.replicas(service, release.name, Deadline::after(ports.sleeper.now(), plan.call_timeout));
    // One that is still on its way out from an earlier life is neither ready nor a failure.
    if (replicas) std::erase_if(*replicas, [](const Replica& r) { return r.state == ReplicaState::stopped; });
    const Condition condition = replicas ? condition_of(*replicas, release.replicas, 0)
                                         : Condition{.fault = {}, .not_ready = replicas.error().text()};
    if (!condition.fault.empty()) return fail(Errc::rejected, fmt::format("it did not start: {}", condition.fault));
    if (condition.all_ready) return restarts_of(*replicas);
    if (until.passed(ports.sleeper.now()))
      return fail(Errc::rejected, fmt::format("it was not ready within {}: {}", format_duration(plan.ready_timeout),
                                              condition.not_ready));
    SERIN_CHECK(ports.sleeper.sleep_for(plan.look_every / polls_a_look));
  }
}

Result<Split> apply_and_verify(const Ports& ports, const ServiceName& service, const Split& split, Duration timeout,
                               const PlanOptions& plan) {
  const Deadline until = Deadline::after(ports.patient.now(), timeout);
  for (;;) {
    const Deadline soon = Deadline::after(ports.patient.now(), plan.call_timeout);
    const Status applied = ports.router.apply(service, split, soon);
    const Result<Split> seen = ports.router.read(service, soon);
    // Whatever apply() answered: what the router says it has is what counts.
    if (seen && same_split(*seen, split)) return seen;
    if (until.passed(ports.patient.now())) {
      std::string text = seen ? fmt::format("the router has {}, not {}", split_text(*seen), split_text(split))
                              : fmt::format("the router cannot be read: {}", seen.error().detail());
      if (!applied) text += fmt::format("; setting it failed: {}", applied.error().detail());
      return fail(Errc::deadline_exceeded, text);
    }
    SERIN_CHECK(ports.patient.sleep_for(plan.look_every / polls_a_look));
  }
}

Run::Run(const Ports& ports, Record record)
    : ports_(ports),
      record_(std::move(record)),
      plan_(record_.plan),
      evidence_(plan_),
      last_second_(second_of(record_.created_at)) {}

// ---- the journal and the guard --------------------------------------------------------------------------------------

Status Run::may_act() {
  const Status allowed = ports_.guard.check();
  if (!allowed && allowed.error().code() == Errc::conflict) {
    fenced_ = true;
    return pass(allowed.error().in("this rollout is somebody else's now, so nothing more was done"));
  }
  return allowed;
}

Event Run::event_now(EventKind kind, std::string text) const {
  return {.seq = static_cast<std::int64_t>(record_.events.size()) + 1,
          .kind = kind,
          .stage = record_.progress.stage,
          .split = {},
          .seen = {},
          .text = std::move(text),
          .wall = ports_.sleeper.wall(),
          .at = now(),
          .done = {}};
}

Status Run::write(Event event) {
  record_.events.push_back(std::move(event));
  return ports_.journal.write(record_.id, record_.events.back(), record_.progress);
}

Status Run::begin(EventKind kind, const Split& split, std::string text) {
  Event event = event_now(kind, std::move(text));
  event.split = split;
  return write(std::move(event));
}

Status Run::complete(const Split& seen) {
  Event& event = record_.events.back();
  event.done = now();
  event.seen = seen;
  return ports_.journal.write(record_.id, event, record_.progress);
}

Status Run::say(EventKind kind, std::string text) {
  Event event = event_now(kind, std::move(text));
  event.done = event.at;
  return write(std::move(event));
}

void Run::try_say(EventKind kind, std::string text) {
  const Status said = say(kind, std::move(text));
  if (!said)
    journal_error_ = said.error();
  else if (is_final(record_.progress.state))
    journal_error_.reset();  // whatever line is missing before: how it ended is written down
}

// ---- the states -----------------------------------------------------------------------------------------------------

Status Run::drive() {
  for (;;) {
    const State state = record_.progress.state;
    if (is_final(state) || state == State::held || state == State::rollback_incomplete) break;
    const Status stepped = step();
    if (stepped) continue;
    if (fenced_) return stepped;
    const Error& error = stepped.error();
    if (state == State::starting || state == State::zero) {
      stop_release(record_.candidate.name);
      return fail(error.code(), fmt::format("{}; no traffic was moved", error.detail()));
    }
    if (state == State::restoring) return stepped;
    journal_error_ = error;
    go_back(EventKind::note, fmt::format("the rollout could not be written down: {}", error.detail()));
  }
  refuse_orders();
  if (!journal_error_) return {};
  return fail(
      journal_error_->code(),
      fmt::format("{}; the traffic is {}, but the journal does not say so: {}; `serin resume {}` completes it",
                  record_.progress.reason, split_text(record_.before), journal_error_->detail(), record_.service));
}

Status Run::step() {
  switch (record_.progress.state) {
    case State::starting: return start();
    case State::zero: return watch_zero();
    case State::stage: return stage();
    case State::promoting: return promote();
    case State::restoring: return restore();
    case State::held:
    case State::promoted:
    case State::rolled_back:
    case State::failed_to_start:
    case State::rollback_incomplete: break;
  }
  return {};
}

Status Run::start() {
  const ReleaseSpec& candidate = record_.candidate;
  ports_.observer.on_note(fmt::format("starting {} beside {}: {} replicas without traffic", candidate.name,
                                      record_.baseline, candidate.replicas));
  SERIN_CHECK(may_act());
  SERIN_CHECK(begin(EventKind::start_release, {}, candidate.name.str()));
  const Result<std::int64_t> ready = start_and_wait(ports_, record_.service, candidate, plan_);
  if (!ready && ready.error().code() == Errc::cancelled) {
    go_back(EventKind::note, "interrupted before any traffic was moved");
    return {};
  }
  if (!ready) return fail_to_start(ready.error().detail());
  restarts_ = *ready;
  SERIN_CHECK(complete({}));

  SERIN_CHECK(begin(EventKind::probe, {}, "who it is, and whether it is ready"));
  const Deadline until = Deadline::after(now(), std::max(least_probe_timeout, 2 * plan_.call_timeout));
  const Result<std::vector<Replica>> replicas = ports_.platform.replicas(record_.service, candidate.name, until);
  if (!replicas) return fail_to_start(replicas.error().text());
  if (const Status probed = probe(ports_.http, ports_.sleeper, record_.service, candidate, *replicas, until); !probed)
    return fail_to_start(probed.error().detail());
  SERIN_CHECK(complete({}));
  record_.progress.state = State::zero;
  return say(EventKind::enter_zero, "ready at 0 %");
}

Status Run::watch_zero() {
  enter(now());
  ports_.observer.on_stage(record_, 0);
  SERIN_CHECK(watch(false, false));
  if (record_.progress.state != State::zero) return {};
  entered_ = false;
  const bool to_the_end = go_on_.to_the_end;
  forget_orders();
  if (to_the_end) {
    record_.progress.state = State::promoting;
    return {};
  }
  record_.progress.state = State::stage;
  record_.progress.stage = 0;
  return {};
}

Status Run::stage() {
  const bool last = record_.progress.stage + 1 == static_cast<int>(plan_.stages.size());
  if (!entered_) {
    if (const Status allowed = may_act(); !allowed) {
      if (fenced_) return allowed;
      go_back(EventKind::note,
              fmt::format("it is not known whether this rollout may still act: {}", allowed.error().detail()));
      return {};
    }
    SERIN_CHECK(begin(EventKind::set_split, expected(), fmt::format("{:.4g} %", percent())));
    const Result<Split> seen = apply_and_verify(ports_, record_.service, expected(), plan_.apply_timeout, plan_);
    if (!seen) {
      go_back(EventKind::note, fmt::format("the router did not take {:.4g} %: {}", percent(), seen.error().detail()));
      return {};
    }
    SERIN_CHECK(complete(*seen));
    extensions_ = 0;
    enter(now());
    SERIN_CHECK(say(EventKind::enter_stage, split_text(*seen)));
    ports_.observer.on_stage(record_, percent());
  }
  SERIN_CHECK(watch(true, last));
  if (record_.progress.state != State::stage) return {};
  entered_ = false;
  const bool to_the_end = last || go_on_.to_the_end;
  forget_orders();
  if (to_the_end)
    record_.progress.state = State::promoting;
  else
    ++record_.progress.stage;
  return {};
}

Status Run::promote() {
  const Split all = canary_split(record_.baseline, record_.candidate.name, 100);
  if (const Status allowed = may_act(); !allowed) {
    if (fenced_) return allowed;
    go_back(EventKind::note,
            fmt::format("it is not known whether this rollout may still act: {}", allowed.error().detail()));
    return {};
  }
  SERIN_CHECK(begin(EventKind::set_split, all, "100 %"));
  const Result<Split> seen = apply_and_verify(ports_, record_.service, all, plan_.apply_timeout, plan_);
  if (!seen) {
    go_back(EventKind::note, fmt::format("the router did not take 100 %: {}", seen.error().detail()));
    return {};
  }
  SERIN_CHECK(complete(*seen));
  ports_.observer.on_stage(record_, 100);
  if (!plan_.keep_old) stop_release(record_.baseline);
  record_.progress.state = State::promoted;
  record_.progress.reason = fmt::format("{} has all the traffic", record_.candidate.name);
  // From here on it is true whether it can be written down or not; resume() finds the split and says the same.
  try_say(EventKind::finish, record_.progress.reason);
  if (!journal_error_) return {};
  const Error error = *std::exchange(journal_error_, std::nullopt);
  fenced_ = true;  // nothing to put back
  return fail(error.code(), fmt::format("{}, but the journal does not say so: {}; `serin resume {}` completes it",
                                        record_.progress.reason, error.detail(), record_.service));
}

Status Run::restore() {
  if (const Status allowed = may_act(); fenced_) return allowed;
  if (const Status begun = begin(EventKind::restore, record_.before, record_.progress.reason); !begun)
    journal_error_ = begun.error();
  const Result<Split> seen = apply_and_verify(ports_, record_.service, record_.before, plan_.restore_timeout, plan_);
  if (!seen) {
    record_.progress.state = State::rollback_incomplete;
    const std::string text = fmt::format("NOT restored after {}: {}; it was to be {}. What it was for: {}",
                                         format_duration(plan_.restore_timeout), seen.error().detail(),
                                         split_text(record_.before), record_.progress.reason);
    record_.progress.reason = text;
    try_say(EventKind::note, text);
    ports_.observer.on_verdict(record_, text);
    return {};
  }
  if (const Status completed = complete(*seen); !completed) journal_error_ = completed.error();
  ports_.observer.on_note(fmt::format("restored: {}", split_text(*seen)));
  stop_release(record_.candidate.name);
  record_.progress.state = State::rolled_back;
  try_say(EventKind::finish, record_.progress.reason);
  return {};
}

void Run::go_back(EventKind kind, std::string reason) {
  record_.progress.state = State::restoring;
  record_.progress.reason = std::move(reason);
  ports_.observer.on_verdict(record_, record_.progress.reason);
  try_say(kind, record_.progress.reason);
}

Status Run::fail_to_start(std::string reason) {
  record_.progress.reason = std::move(reason);
  ports_.observer.on_verdict(record_, record_.progress.reason);
  SERIN_CHECK(say(EventKind::verdict, record_.progress.reason));
  stop_release(record_.candidate.name);
  record_.progress.state = State::failed_to_start;
  return say(EventKind::finish, record_.progress.reason);
}

Status Run::hold(std::string reason) {
  record_.progress.held_in = record_.progress.state;
  record_.progress.state = State::held;
  record_.progress.reason = std::move(reason);
  ports_.observer.on_verdict(record_, record_.progress.reason);
  return say(EventKind::hold, record_.progress.reason);
}

void Run::enter(Instant at) {
  entered_ = true;
  entered_at_ = at;
  const bool traffic = record_.progress.state == State::stage;
  gate_passed_ = false;
  smoke_passed_ = false;
  gate_from_ = at;
  stood_ = {};
  if (pause_) pause_->since = at;  // interrupted meanwhile, and the stage begins anew
  ends_ = at + (traffic ? plan_.monitoring_duration * (1 + extensions_) : plan_.zero_duration);
  evidence_.enter(traffic ? percent() : 0, second_of(at));
}

void Run::stop_release(const ReleaseName& release) {
  // That a release without traffic goes on running harms nobody; it is said, and that is all.
  if (const Status begun = begin(EventKind::stop_release, {}, release.str()); !begun) journal_error_ = begun.error();
  const Status stopped =
      ports_.platform.stop(record_.service, release, Deadline::after(ports_.patient.now(), plan_.call_timeout));
  if (!stopped)
    ports_.observer.on_note(fmt::format("{} still runs, without traffic: {}", release, stopped.error().detail()));
  if (const Status completed = complete({}); !completed) journal_error_ = completed.error();
}

Status Run::watch(bool traffic, bool last) {
  for (;;) {
    SERIN_TRY(Sight sight, look(traffic, last));
    SERIN_CHECK(take_orders(sight));
    if (record_.progress.state == State::restoring) return {};
    Decision decision = decide(plan_, sight);
    if (decision.move == Move::advance && !go_on_.to_the_end) {
      if (std::optional<Decision> by_data = ask_gates(sight)) {
        // An answer takes its time: what happened meanwhile is looked at before the stage is left.
        if (by_data->move == Move::advance) {
          ports_.observer.on_note(by_data->reason);
          SERIN_CHECK(say(EventKind::note, by_data->reason));
          continue;
        }
        decision = *std::move(by_data);
        if (decision.move == Move::extend) gate_from_ = ends_ + plan_.monitoring_duration;
      }
      if (decision.move == Move::advance) {
        SERIN_TRY(std::optional<Decision> by_person, ask_person(decision));
        if (by_person) decision = *std::move(by_person);
      }
    }
    switch (decision.move) {
      case Move::stay: break;
      case Move::advance:
        ports_.observer.on_verdict(record_, decision.reason);
        return say(EventKind::leave_stage, decision.reason);
      case Move::extend:
        ++extensions_;
        ends_ += plan_.monitoring_duration;
        ports_.observer.on_note(decision.reason);
        SERIN_CHECK(say(EventKind::extend_stage, decision.reason));
        break;
      case Move::hold: return hold(decision.reason);
      case Move::roll_back: go_back(EventKind::verdict, decision.reason); return {};
    }
    if (const Status slept = ports_.sleeper.sleep_for(plan_.look_every); !slept) {
      go_back(EventKind::note, "interrupted");
      return {};
    }
  }
}

std::optional<Decision> Run::ask_gates(const Sight& sight) {
  if (auto said = ask_gate(sight, plan_.smoke, ports_.smoke, "smoke tests", smoke_passed_)) return said;
  return ask_gate(sight, plan_.gate, ports_.gate, "data checks", gate_passed_);
}

std::optional<Decision> Run::ask_gate(const Sight& sight, const GatePlan& plan, Gate* gate, std::string_view who,
                                      bool& passed) {
  const GatePoint point = !sight.traffic ? GatePoint::before : sight.last ? GatePoint::after : GatePoint::between;
  const bool asked = point == GatePoint::before ? plan.before : point == GatePoint::after ? plan.after : plan.between;
  if (plan.file.empty() || !asked || passed) return std::nullopt;
  if (now() < gate_from_) return Decision{};
  if (gate == nullptr) return decide_gate(plan_, sight, {.reason = "this program cannot ask them"}, who);
  ports_.observer.on_note(fmt::format("asking the {} of {}", who, plan.file));
  GateQuestion question{.service = record_.service, .file = plan.file, .point = point};
  const Result<std::vector<Replica>> replicas =
      ports_.platform.replicas(record_.service, record_.candidate.name, Deadline::after(now(), plan_.call_timeout));
  if (replicas)
    for (const Replica& replica : *replicas)
      if (replica.state == ReplicaState::ready) question.candidate.push_back(replica.address);
  const Decision said = decide_gate(plan_, sight, gate->ask(question, Deadline::after(now(), plan.timeout)), who);
  passed = said.move == Move::advance;
  return said;
}

double Run::percent() const { return percent_of(plan_.stages, record_.progress.stage); }
double Run::next_percent() const { return percent_after(plan_.stages, record_.progress.stage); }

Split Run::expected() const { return canary_split(record_.baseline, record_.candidate.name, percent()); }

}  // namespace serin::rollout
