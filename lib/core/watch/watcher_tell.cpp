// What a watcher tells others: incidents, signs of life, and how runs compare with their past.
#include <fmt/format.h>

#include <algorithm>

#include "serin/watch/step.hpp"
#include "serin/watch/trend.hpp"
#include "serin/watch/watcher.hpp"
#include "watcher_entry.hpp"

namespace serin::watch {
namespace {

constexpr WallTime never = WallTime::max();

/// 5 s, 10 s, ... 5 min.
Duration pause_after(int tries) { return std::min<Duration>(5s * (1 << std::clamp(tries, 0, 6)), 5min); }

notify::Notification notification_of(const incidents::Incident& incident, const Outgoing& message) {
  const bool is_over = message.kind == "resolved";
  return {
      .key = fmt::format("watch {} #{}", incident.check.substr(0, 150), incident.id),
      .status = is_over ? notify::AlertStatus::resolved : notify::AlertStatus::firing,
      .severity = incident.severity,
      .service = incident.service,
      .title = fmt::format("{} is {}", incident.check, incident.finding),
      .text = incident.reason,
      .labels = {{"check", incident.check}, {"finding", incident.finding}, {"incident", std::to_string(incident.id)}},
      .started_at = incident.began,
      .resolved_at = is_over ? incident.resolved.value_or(message.at) : std::optional<WallTime>()};
}

}  // namespace

void Watcher::judge_trend_of(const Entry& entry, Entry& trend, WallTime now) {
  const TrendOptions options;
  std::vector<RunResult> runs;
  for (int day = options.days; day >= 0; --day) {
    const WallTime then = now - std::chrono::days(day);
    auto found = ports_.store.results(entry.item.name, then - options.around, then + options.around, soon());
    if (!found) return ports_.log.warn("watch.trend", {{"error", found.error().text()}});
    runs.insert(runs.end(), found->begin(), found->end());
  }
  const Trend judged = judge_trend(runs, now, options);
  // No past is no finding: it is not put down, and takes nothing back.
  if (judged.status() == TrendStatus::unknown) return;
  absorb(trend, {.check = trend.item.name,
                 .at = now,
                 .finding = judged.status() == TrendStatus::degraded ? Finding::failing : Finding::ok,
                 .said = judged.said});
}

Status Watcher::tell(const Outgoing& message, WallTime now) {
  SERIN_TRY(const incidents::Incident incident, ports_.incidents.find(message.incident, soon()));
  if (ports_.notifier == nullptr)
    return ports_.store.done_with(
        message, {.at = now, .kind = "not_notified", .text = message.kind + ": no notification channel is configured"},
        soon());
  if (const Status told = ports_.notifier->notify(notification_of(incident, message)); !told) {
    ports_.log.error("watch.notify", {{"incident", message.incident}, {"error", told.error().text()}});
    return ports_.store.not_sent(message, now, now + pause_after(message.tries), told.error().text(), soon());
  }
  return ports_.store.done_with(message, {.at = now, .kind = "notified", .text = message.kind}, soon());
}

void Watcher::tell_outgoing(WallTime now) {
  constexpr int at_once = 20;
  if (now < next_tell_) return;
  next_tell_ = never;
  const auto waiting = ports_.store.outgoing(std::nullopt, at_once, soon());
  if (!waiting) {
    next_tell_ = now + 5s;
    return ports_.log.warn("watch.outgoing", {{"error", waiting.error().text()}});
  }
  for (const Outgoing& message : *waiting) {
    if (message.next_try && *message.next_try > now) {
      next_tell_ = std::min(next_tell_, *message.next_try);
      continue;
    }
    next_tell_ = std::min(next_tell_, now + pause_after(message.tries));  // to see that nothing is left
    if (const Status told = tell(message, now); !told)
      ports_.log.warn("watch.outgoing", {{"error", told.error().text()}});
  }
}

void Watcher::beat(WallTime now, bool stopped) {
  if (!stopped && now < next_beat_) return;
  next_beat_ = now + spec_.heartbeat.every;
  WatcherBeat sign{
      .at = now, .pid = ports_.pid, .every = spec_.heartbeat.every, .file = spec_.file, .stopped = stopped};
  if (ports_.notifier == nullptr) sign.trouble = "no notification channel is configured: incidents reach nobody";
  if (!beat_trouble_.empty()) sign.trouble += (sign.trouble.empty() ? "" : "\n") + beat_trouble_;
  if (const Status saved = ports_.store.save_beat(sign, soon()); !saved) {
    write_error_ = saved.error();
    if (!mute_since_) mute_since_ = ports_.sleeper.now();
    next_beat_ = now + std::min<Duration>(spec_.heartbeat.every, 5s);
    // A watcher that cannot remember must not look alive: no sign goes out.
    return ports_.log.error("watch.beat", {{"error", saved.error().text()}});
  }
  mute_since_.reset();
  if (stopped || beating_ || !ports_.beat) return;
  inbox_->beat_ended = std::make_unique<Event>();
  beating_ = ports_.tasks.start([this, sign, inbox = inbox_] {
    const Status given = ports_.beat(sign, Deadline::after(ports_.sleeper.now(), 10s));
    Finished finished{.answer = given ? Result<RunAnswer>(RunAnswer{}) : pass(given.error())};
    const std::scoped_lock lock(inbox->mutex);
    inbox->finished.push_back(std::move(finished));
    if (inbox->wake) inbox->wake->set();
    inbox->beat_ended->set();
  });
}

void Watcher::prune(WallTime now) {
  if (now < next_prune_) return;
  next_prune_ = now + 1h;
  if (const Status pruned = ports_.store.prune(now - spec_.keep, soon()); !pruned)
    ports_.log.warn("watch.prune", {{"error", pruned.error().text()}});
}

}  // namespace serin::watch
