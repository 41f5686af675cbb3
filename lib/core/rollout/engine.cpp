#include "serin/rollout/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "run.hpp"
#include "serin/rollout/evidence.hpp"
#include "serin/rollout/split.hpp"

namespace serin::rollout {
namespace {

constexpr int remembered = 100;  // rollouts that are looked at for "the same thing failed before"

/// That exact content was taken back because of what it did, not because somebody pressed Ctrl-C.
bool was_condemned(const Record& record, const std::string& digest) {
  return record.progress.state == State::rolled_back && record.candidate.digest == digest &&
         std::ranges::any_of(record.events, [](const Event& event) { return event.kind == EventKind::verdict; });
}

std::string errors_before(const PlanOptions& plan, const ReleaseName& baseline) {
  if (plan.learned->requests > 0)
    return fmt::format("before, {} of {} requests to {} failed; errors clump by {:.2g}", plan.learned->errors,
                       plan.learned->requests, baseline, plan.learned->dispersion);
  return fmt::format("{} was seen for less than {} before, so it is judged beside its errors of the same time only",
                     baseline, format_duration(plan.past.least));
}

std::string latency_before(const PlanOptions& plan, const ReleaseName& baseline) {
  const std::optional<LatencyHistogram> before =
      plan.learned_latency ? LatencyHistogram::of_counts(plan.learned_latency->counts) : std::nullopt;
  if (!before) return fmt::format("how long requests to {} took before is not known", baseline);
  return fmt::format("before, requests to {} took {} (p50), {} (p95), {} (p99)", baseline,
                     latency_text(before->quantile(0.5).value()), latency_text(before->quantile(0.95).value()),
                     latency_text(before->quantile(0.99).value()));
}

/// What the old version's traffic until now teaches; it is part of the plan, so that it is the same after a crash.
void learn_past(const Ports& ports, const ServiceName& service, const ReleaseName& baseline, PlanOptions& plan) {
  if (plan.past.window <= 0s) return;
  const std::int64_t now = second_of(ports.sleeper.now());
  const std::int64_t after = now - std::chrono::floor<std::chrono::seconds>(plan.past.window).count();
  const Result<TrafficWindow> window = ports.traffic.read(service, std::max<std::int64_t>(-1, after),
                                                          Deadline::after(ports.sleeper.now(), plan.call_timeout));
  if (!window) {
    ports.observer.on_note(fmt::format("nothing is learned of {} before: {}", baseline, window.error().detail()));
    return;
  }
  plan.learned = learn(plan.past, *window, baseline);
  ports.observer.on_note(errors_before(plan, baseline));
  if (!plan.latency.judged) return;
  plan.learned_latency = learn_latency(*window, baseline);
  ports.observer.on_note(latency_before(plan, baseline));
}

Result<Report> drive(Run& run) {
  SERIN_CHECK(run.drive());
  return make_report(run.record());
}

}  // namespace

Result<Report> Engine::run(const Request& request) {
  const ServiceName& service = request.service;
  const ReleaseSpec& candidate = request.release;
  SERIN_CHECK(ports_.guard.check());
  SERIN_TRY(const std::vector<Record> past, ports_.journal.history(service, remembered));
  if (!past.empty() && !is_final(past.front().progress.state))
    return fail(Errc::conflict,
                fmt::format("rollout {} of {} to {} is {}: end it with `serin resume {}` or `serin rollback {}`",
                            past.front().id, service, past.front().candidate.name,
                            state_name(past.front().progress.state), service, service));
  if (!request.force)
    for (const Record& record : past)
      if (was_condemned(record, candidate.digest))
        return fail(Errc::rejected,
                    fmt::format("rollout {} took back exactly this ({}): {}; --force releases it all the same",
                                record.id, record.candidate.name, record.progress.reason));

  const Deadline soon = Deadline::after(ports_.sleeper.now(), request.plan.options().call_timeout);
  SERIN_TRY(const Split before, ports_.router.read(service, soon));
  const std::optional<ReleaseName> baseline = only_release(before);
  if (!baseline)
    return fail(Errc::conflict,
                fmt::format("the traffic of {} is {}: a rollout starts from one release that has all of it", service,
                            split_text(before)));
  if (*baseline == candidate.name)
    return fail(Errc::conflict, fmt::format("{} of {} has all the traffic already", candidate.name, service));
  SERIN_TRY(const std::vector<Replica> replicas, ports_.platform.replicas(service, *baseline, soon));
  if (std::ranges::none_of(replicas, [](const Replica& r) { return r.state == ReplicaState::ready; }))
    return fail(
        Errc::unavailable,
        fmt::format("{} of {} is not ready itself ({}), so there is nothing to compare with and nothing to go back to",
                    *baseline, service, replicas_text(replicas)));

  Record record{.service = service,
                .candidate = candidate,
                .plan = request.plan.options(),
                .before = before,
                .baseline = *baseline,
                .created = ports_.sleeper.wall(),
                .created_at = ports_.sleeper.now(),
                .progress = {},
                .events = {},
                .buckets = {}};
  learn_past(ports_, service, *baseline, record.plan);
  SERIN_TRY(record.id, ports_.journal.create(record));
  Run run(ports_, std::move(record));
  return drive(run);
}

Result<Report> Engine::resume(const ServiceName& service) {
  SERIN_CHECK(ports_.guard.check());
  SERIN_TRY(const std::vector<Record> past, ports_.journal.history(service, 1));
  if (past.empty() || is_final(past.front().progress.state))
    return fail(Errc::not_found, fmt::format("no rollout of {} is open", service));
  SERIN_TRY(Record record, ports_.journal.load(past.front().id));
  Run run(ports_, std::move(record));
  SERIN_CHECK(run.take_up());
  return drive(run);
}

Result<Report> Engine::rollback(const ServiceName& service,
                                const std::function<Result<ReleaseSpec>(const ReleaseName&)>& spec_of, bool force) {
  SERIN_CHECK(ports_.guard.check());
  SERIN_TRY(const std::vector<Record> past, ports_.journal.history(service, 1));
  if (past.empty())
    return fail(Errc::not_found, fmt::format("{} never had a rollout, so there is nothing to go back to", service));
  SERIN_TRY(Record record, ports_.journal.load(past.front().id));
  const State state = record.progress.state;
  if (state == State::rolled_back || state == State::failed_to_start)
    return fail(Errc::conflict, fmt::format("rollout {} of {} is {} already: {}", record.id, service, state_name(state),
                                            record.progress.reason));
  if (state == State::promoted) {
    SERIN_TRY(const Split now,
              ports_.router.read(service, Deadline::after(ports_.sleeper.now(), record.plan.call_timeout)));
    if (!force && only_release(now) != record.candidate.name)
      return fail(Errc::conflict,
                  fmt::format("rollout {} left {} with all the traffic of {}, but it is {} now; --force puts back {}",
                              record.id, record.candidate.name, service, split_text(now), split_text(record.before)));
  }
  // The old ones have to be there before anybody is sent to them.
  for (const Share& share : record.before) {
    if (share.percent <= 0) continue;
    SERIN_TRY(const ReleaseSpec spec, spec_of(share.release));
    ports_.observer.on_note(fmt::format("making sure that {} runs", share.release));
    const Result<std::int64_t> ready = start_and_wait(ports_, service, spec, record.plan);
    if (!ready)
      return pass(
          ready.error().in(fmt::format("nothing was moved, because the traffic cannot go back to {}", share.release)));
  }
  Run run(ports_, std::move(record));
  run.go_back(EventKind::note, "rollback was asked for");
  return drive(run);
}

}  // namespace serin::rollout
