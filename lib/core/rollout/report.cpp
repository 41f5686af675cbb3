#include "serin/rollout/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "serin/rollout/split.hpp"

namespace serin::rollout {
namespace {

namespace json = boost::json;

constexpr std::array<std::pair<const char*, double>, 3> shown_quantiles = {
    {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}};

Instant start_of(std::int64_t second) { return Instant(std::chrono::seconds(second)); }

void count(ArmTotals& arm, const std::optional<LatencyHistogram>& latency, std::int64_t requests) {
  if (latency)
    arm.latency.add(*latency);
  else
    arm.untimed += requests;
}

void count(ArmTotals& canary, ArmTotals& baseline, const Bucket& bucket) {
  canary.requests += bucket.canary_requests;
  canary.errors += bucket.canary_errors;
  canary.hidden += bucket.canary_hidden;
  baseline.requests += bucket.baseline_requests;
  baseline.errors += bucket.baseline_errors;
  baseline.hidden += bucket.baseline_hidden;
  count(canary, bucket.canary_latency, bucket.canary_requests);
  count(baseline, bucket.baseline_latency, bucket.baseline_requests);
}

/// Takes the events in order; the stage that is entered last is the one that everything belongs to.
void fold_events(Report& report, const Record& record) {
  StageReport* stage = nullptr;
  const auto leave = [&](const Event& event) {
    if (stage == nullptr) return;
    stage->lasted = event.at - stage->entered;
    stage->verdict = event.text;
    stage = nullptr;
  };
  for (const Event& event : record.events) {
    if (event.kind == EventKind::await)
      report.awaits =
          fmt::format("waits for an approval before {:.4g} %", percent_after(record.plan.stages, event.stage));
    if (event.kind == EventKind::leave_stage || event.kind == EventKind::hold || event.kind == EventKind::verdict ||
        event.kind == EventKind::restore || event.kind == EventKind::set_split ||
        (event.order && event.obeyed && event.order->kind == OrderKind::approve))
      report.awaits.clear();
    if (event.order && event.obeyed && event.order->kind != OrderKind::approve)
      report.paused = event.order->kind == OrderKind::pause ? "paused by " + order_text(*event.order) : std::string();
    switch (event.kind) {
      case EventKind::enter_zero:
      case EventKind::enter_stage:
        // Held and taken up again, or after a crash: the same stage, anew.
        std::erase_if(report.stages, [&](const StageReport& known) { return known.stage == event.stage; });
        report.stages.push_back(
            {.stage = event.stage, .percent = percent_of(record.plan.stages, event.stage), .entered = event.at});
        stage = &report.stages.back();
        break;
      case EventKind::extend_stage:
        if (stage != nullptr) ++stage->extensions;
        break;
      case EventKind::leave_stage:
      case EventKind::hold:
        leave(event);
        report.paused.clear();
        break;
      case EventKind::verdict:
        leave(event);
        report.paused.clear();
        if (!report.verdict_at) report.verdict_at = event.at;
        break;
      case EventKind::set_split:
      case EventKind::restore:
        report.paused.clear();
        if (!event.done) break;
        report.after = event.seen;
        if (only_release(event.seen) == record.candidate.name) report.promoted_at = event.done;
        report.restored_at = event.kind == EventKind::restore ? event.done : std::nullopt;
        break;
      case EventKind::finish: report.ended_at = event.at; break;
      case EventKind::start_release:
      case EventKind::probe:
      case EventKind::stop_release:
      case EventKind::resume:
      case EventKind::order:
      case EventKind::await:
      case EventKind::note: break;
    }
  }
  if (stage != nullptr && !record.buckets.empty())
    stage->lasted = std::max(Duration::zero(), start_of(record.buckets.back().second + 1) - stage->entered);
}

/// The edges between which each percentile lies; null where nothing is known.
json::value latency_json(const ArmTotals& arm) {
  if (arm.latency.requests() == 0) return nullptr;
  json::object out{{"requests", arm.latency.requests()}, {"unknown_requests", arm.untimed}};
  for (const auto& [name, quantile] : shown_quantiles) {
    const LatencyHistogram::Range range = arm.latency.quantile(quantile).value_or(LatencyHistogram::Range{});
    out[name] = json::object{{"above", range.above_ms},
                             {"at_most", range.at_most_ms ? json::value(*range.at_most_ms) : json::value(nullptr)}};
  }
  return out;
}

json::object arm_json(const ArmTotals& arm) {
  return {{"requests", arm.requests},
          {"errors", arm.errors},
          {"hidden_errors", arm.hidden},
          {"latency_ms", latency_json(arm)}};
}

json::value seconds_between(const std::optional<Instant>& from, const std::optional<Instant>& to) {
  if (!from || !to) return nullptr;
  return seconds_of(*to - *from);
}

json::array split_array(const Split& split) {
  json::array out;
  for (const Share& share : split) out.push_back({{"release", share.release.str()}, {"percent", share.percent}});
  return out;
}

json::string text_of(std::string_view text) { return json::string(text.data(), text.size()); }

}  // namespace

Report make_report(const Record& record) {
  Report report{.id = record.id,
                .service = record.service.str(),
                .release = record.candidate.name.str(),
                .baseline = record.baseline.str(),
                .digest = record.candidate.digest,
                .outcome = record.progress.state,
                .reason = record.progress.reason,
                .paused = {},
                .awaits = {},
                .began = record.created,
                .began_at = record.created_at,
                .worse_needed = std::log(1 / record.plan.judge.alpha),
                .healthy_needed = std::log(1 / record.plan.judge.beta),
                .before = record.before};
  fold_events(report, record);
  for (const Bucket& bucket : record.buckets) {
    count(report.canary, report.baseline_counts, bucket);
    report.unattributed += bucket.unattributed;
    report.lost += bucket.lost;
    if (!report.first_bad && bucket.canary_errors > 0) report.first_bad = start_of(bucket.second);
    report.worse = bucket.worse;
    report.healthy = bucket.healthy;
    for (StageReport& stage : report.stages) {
      if (stage.stage != bucket.stage || bucket.second < second_of(stage.entered)) continue;
      count(stage.canary, stage.baseline, bucket);
      stage.worse = bucket.worse;
      stage.healthy = bucket.healthy;
    }
  }
  report.canary_user_failures = report.canary.errors - report.canary.hidden;
  report.failed_user_requests =
      report.canary_user_failures + report.baseline_counts.errors - report.baseline_counts.hidden + report.unattributed;
  return report;
}

std::string too_late(const Record& record) {
  const std::string head = fmt::format("rollout {} of {} to {} is {}", record.id, record.service, record.candidate.name,
                                       state_name(record.progress.state));
  if (is_final(record.progress.state)) return fmt::format("{}, it is over: {}", head, record.progress.reason);
  return fmt::format("{}, and no process drives it: `serin resume {}` goes on, `serin rollback {}` restores", head,
                     record.service, record.service);
}

std::string evidence_text(const Report& report) {
  std::string out = fmt::format(
      "canary {} of {} failed, baseline {} of {}; worse {:.1f} of {:.1f} nats needed, healthy {:.1f} of {:.1f}",
      report.canary.errors, report.canary.requests, report.baseline_counts.errors, report.baseline_counts.requests,
      report.worse, report.worse_needed, report.healthy, report.healthy_needed);
  if (report.unattributed > 0) out += fmt::format("; {} closed without an answer", report.unattributed);
  if (report.lost > 0) out += fmt::format("; {} not counted", report.lost);
  return out;
}

std::string latency_text(const ArmTotals& arm) {
  if (arm.latency.requests() == 0) return arm.untimed > 0 ? "not known" : "no answer";
  std::string out;
  for (const auto& [name, quantile] : shown_quantiles)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, serin::latency_text(*arm.latency.quantile(quantile)));
  if (arm.untimed > 0) out += fmt::format(" (of {} more requests it is not known)", arm.untimed);
  return out;
}

std::string report_json(const Report& report) {
  json::array stages;
  for (const StageReport& stage : report.stages)
    stages.push_back({{"percent", stage.percent},
                      {"seconds", seconds_of(stage.lasted)},
                      {"extensions", stage.extensions},
                      {"verdict", stage.verdict},
                      {"canary", arm_json(stage.canary)},
                      {"baseline", arm_json(stage.baseline)},
                      {"evidence", {{"worse", stage.worse}, {"healthy", stage.healthy}}}});
  json::object out{{"id", report.id},
                   {"service", report.service},
                   {"release", report.release},
                   {"baseline", report.baseline},
                   {"digest", report.digest},
                   {"outcome", text_of(state_name(report.outcome))},
                   {"reason", report.reason},
                   {"paused", report.paused},
                   {"awaits", report.awaits},
                   {"began", format_rfc3339(report.began)},
                   {"seconds", seconds_between(report.began_at, report.ended_at)},
                   {"stages", std::move(stages)},
                   {"evidence",
                    {{"text", evidence_text(report)},
                     {"worse", report.worse},
                     {"worse_needed", report.worse_needed},
                     {"healthy", report.healthy},
                     {"healthy_needed", report.healthy_needed},
                     {"canary", arm_json(report.canary)},
                     {"baseline", arm_json(report.baseline_counts)},
                     {"unattributed", report.unattributed},
                     {"lost", report.lost}}},
                   {"promoted_after_seconds", seconds_between(report.began_at, report.promoted_at)},
                   {"failed_user_requests", report.failed_user_requests},
                   {"canary_user_failures", report.canary_user_failures},
                   {"first_bad_to_restored_seconds", seconds_between(report.first_bad, report.restored_at)},
                   {"verdict_to_restored_seconds", seconds_between(report.verdict_at, report.restored_at)},
                   {"split_before", split_array(report.before)},
                   {"split_after", report.after ? json::value(split_array(*report.after)) : json::value(nullptr)}};
  return json::serialize(out);
}

}  // namespace serin::rollout
