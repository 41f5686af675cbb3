#include "serin/watch/watcher.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "serin/watch/step.hpp"
#include "watcher_entry.hpp"

namespace serin::watch {
namespace {

constexpr Duration grace = 1s;          // after a run's deadline, before it is given up
constexpr Duration longest_wait = 30s;  // so that a calendar that jumped is noticed
constexpr Duration mute_limit = 1min;   // nothing could be written for so long: no watcher any more

}  // namespace

Watcher::Watcher(WatchSpec spec, WatcherPorts ports)
    : spec_(std::move(spec)), ports_(std::move(ports)), inbox_(std::make_shared<Inbox>()) {}

Watcher::~Watcher() {
  stop_.request_stop();
  drain();
}

Deadline Watcher::soon() const { return Deadline::after(ports_.sleeper.now(), 10s); }

Result<std::unique_ptr<Watcher>> Watcher::make(WatchSpec spec, WatcherPorts ports) {
  std::unique_ptr<Watcher> watcher(new Watcher(std::move(spec), std::move(ports)));
  SERIN_CHECK(watcher->load());
  return watcher;
}

Status Watcher::load() {
  SERIN_TRY(const std::vector<CheckState> stored, ports_.store.states(soon()));
  std::map<std::string, CheckState> known;
  for (const CheckState& state : stored) known[state.name] = state;
  const WallTime now = ports_.sleeper.wall();
  for (const WatchItem& item : spec_.items) {
    entries_.push_back(std::make_unique<Entry>(Entry{.item = item}));
    SERIN_CHECK(load_entry(*entries_.back(), known, now));
  }
  for (std::size_t i = 0; i < spec_.items.size(); ++i) {
    if (!spec_.items[i].trend) continue;
    auto trend = std::make_unique<Entry>(Entry{.item = spec_.items[i], .is_trend = true});
    trend->item.name += ": trend";
    trend->item.severity = std::min(trend->item.severity, notify::Severity::ticket);
    trend->item.thresholds = {};
    trend->state = {.name = trend->item.name, .service = trend->item.service};
    if (const auto found = known.find(trend->item.name); found != known.end()) trend->state = found->second;
    entries_[i]->trend = trend.get();
    entries_.push_back(std::move(trend));
  }
  // What is not in the file any more is forgotten, unless an incident of it is open: then somebody has to look.
  for (const auto& [name, state] : known) {
    const bool is_here = std::ranges::any_of(entries_, [&](const auto& entry) { return entry->item.name == name; });
    if (!is_here && state.incident == 0) SERIN_CHECK(ports_.store.forget(name, soon()));
  }
  return {};
}

Status Watcher::load_entry(Entry& entry, const std::map<std::string, CheckState>& known, WallTime now) {
  const WatchItem& item = entry.item;
  entry.state = {.name = item.name};
  const auto found = known.find(item.name);
  if (found != known.end()) entry.state = found->second;
  const bool same_schedule = entry.state.schedule == item.schedule.text() && entry.state.next_due;
  // A check by period that is new runs at once; one by the calendar when its time comes.
  entry.next_due = same_schedule ? *entry.state.next_due : item.schedule.cron ? item.schedule.next(now) : now;
  entry.state.service = item.service;
  entry.state.schedule = item.schedule.text();
  entry.state.next_due = entry.next_due;
  entry.state.late_after = item.timeout + grace + 30s;
  return ports_.store.save(entry.state, soon());
}

Status Watcher::run() {
  for (;;) {
    SERIN_CHECK(cycle(true));
    const std::shared_ptr<Event> wake = next_wake();
    if (wake && !ports_.sleeper.wait(*wake, wake_at(ports_.sleeper.wall()))) break;
  }
  stop_.request_stop();
  drain();
  take_finished();
  beat(ports_.sleeper.wall(), true);
  return {};
}

Status Watcher::once() {
  const WallTime began = ports_.sleeper.wall();
  for (const auto& entry : entries_)
    if (!entry->is_trend) entry->next_due = began;
  std::vector<bool> asked(entries_.size());
  bool stopped = false;
  while (!stopped) {
    bool all = true;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i]->is_trend || asked[i]) continue;
      asked[i] = start(i, ports_.sleeper.wall());
      all = all && asked[i];
    }
    SERIN_CHECK(cycle(false));
    if (all && !is_running()) break;
    const std::shared_ptr<Event> wake = next_wake();
    stopped = wake && !ports_.sleeper.wait(*wake, ports_.sleeper.now() + 1s);
  }
  stop_.request_stop();
  drain();
  take_finished();
  if (stopped) return fail(Errc::cancelled, "interrupted");
  SERIN_CHECK(cycle(false));
  if (write_error_) return pass(write_error_->in("what was found could not be remembered"));
  return {};
}

/// All that can be done now.
Status Watcher::cycle(bool schedule) {
  take_finished();
  give_up_late();
  const WallTime now = ports_.sleeper.wall();
  if (schedule) start_due(now);
  tell_outgoing(now);
  if (schedule) beat(now, false);
  prune(now);
  if (mute_since_ && ports_.sleeper.now() - *mute_since_ > mute_limit)
    return pass(write_error_->in("nothing could be remembered for a minute, and a watcher that forgets is none"));
  return {};
}

void Watcher::start_due(WallTime now) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = *entries_[i];
    if (entry.is_trend) continue;
    const Schedule& schedule = entry.item.schedule;
    // A calendar that was put back must not make a period long.
    if (!schedule.cron) entry.next_due = std::min(entry.next_due, now + schedule.every);
    if (now < entry.next_due) continue;
    const WallTime due = entry.next_due;
    std::int64_t later = 0;  // due times after this one that have passed as well
    if (schedule.cron) {
      for (entry.next_due = schedule.next(due); entry.next_due <= now && later < 1000; ++later)
        entry.next_due = schedule.next(entry.next_due);
      if (entry.next_due <= now) entry.next_due = schedule.next(now);
    } else {
      later = (now - due) / schedule.every;
      entry.next_due = due + (later + 1) * schedule.every;
    }
    if (entry.running) {
      miss(entry, now, later + 1, fmt::format("the run of {} still runs", format_rfc3339(entry.started)));
    } else if (later > 0) {
      miss(entry, now, later, fmt::format("nobody looked between {} and {}", format_rfc3339(due), format_rfc3339(now)));
    }
    if (entry.running || start(i, now)) continue;
    // No thread is free: it stays due until one is, or until its next time has come.
    entry.next_due = later > 0 ? now : due;
  }
}

bool Watcher::start(std::size_t index, WallTime now) {
  Entry& entry = *entries_[index];
  entry.ended = std::make_unique<Event>();
  entry.deadline = ports_.sleeper.now() + entry.item.timeout;
  const bool started = ports_.tasks.start([this, &entry, inbox = inbox_, stop = stop_.get_token()] {
    const Instant began = ports_.sleeper.now();
    Result<RunAnswer> answer = ports_.look(entry.item, Deadline(began + entry.item.timeout), stop);
    Finished finished{.entry = &entry,
                      .answer = std::move(answer),
                      .at = ports_.sleeper.wall(),
                      .took = ports_.sleeper.now() - began};
    const std::scoped_lock lock(inbox->mutex);
    inbox->finished.push_back(std::move(finished));
    if (inbox->wake) inbox->wake->set();
    entry.ended->set();
  });
  if (!started) return false;
  entry.running = true;
  entry.given_up = false;
  entry.started = now;
  return true;
}

void Watcher::miss(Entry& entry, WallTime now, std::int64_t many, const std::string& why) {
  const std::string said = fmt::format("{} {} not come: {}", many, many == 1 ? "run did" : "runs did", why);
  ports_.log.warn("watch.missed", {{"check", entry.item.name}, {"runs", many}, {"why", why}});
  absorb(entry, {.check = entry.item.name, .at = now, .finding = Finding::unknown, .missed = true, .said = said});
}

void Watcher::take_finished() {
  std::vector<Finished> finished;
  {
    const std::scoped_lock lock(inbox_->mutex);
    finished.swap(inbox_->finished);
    inbox_->wake.reset();
  }
  for (Finished& one : finished) {
    if (one.entry == nullptr) {
      beating_ = false;
      beat_trouble_ = one.answer ? "" : "heartbeat: " + one.answer.error().detail();
      if (!one.answer) ports_.log.error("watch.heartbeat", {{"error", one.answer.error().text()}});
      continue;
    }
    Entry& entry = *one.entry;
    entry.running = false;
    if (std::exchange(entry.given_up, false)) continue;
    if (!one.answer && one.answer.error().code() == Errc::cancelled) continue;
    RunResult result{.check = entry.item.name, .at = one.at, .took = one.took};
    if (one.answer) {
      result.finding = one.answer->finding;
      result.said = one.answer->said;
    } else {
      result.said = one.answer.error().text();
    }
    absorb(entry, std::move(result));
  }
}

void Watcher::give_up_late() {
  const Instant now = ports_.sleeper.now();
  for (const auto& entry : entries_) {
    if (!entry->running || entry->given_up || now < entry->deadline + grace) continue;
    entry->given_up = true;
    absorb(*entry, {.check = entry->item.name,
                    .at = ports_.sleeper.wall(),
                    .took = entry->item.timeout,
                    .said = fmt::format("no answer within {}", format_duration(entry->item.timeout))});
  }
}

void Watcher::absorb(Entry& entry, RunResult result) {
  constexpr std::size_t most = 1000;
  if (result.said.size() > most) result.said.resize(most);
  const bool missed = result.missed;
  Step step = step_of(entry.state, entry.item, std::move(result));
  if (!entry.is_trend) step.state.next_due = entry.next_due;
  const bool tells = step.open || step.resolve;
  const WallTime at = step.result.at;
  const auto written = ports_.store.write(std::move(step), soon());
  if (!written) {
    // Not counted: whoever reads the memory later would know another condition than we do.
    write_error_ = written.error();
    if (!mute_since_) mute_since_ = ports_.sleeper.now();
    ports_.log.error("watch.write", {{"check", entry.item.name}, {"error", written.error().text()}});
    return;
  }
  mute_since_.reset();
  write_error_.reset();
  if (written->counts.condition != entry.state.counts.condition)
    ports_.log.info("watch.condition", {{"check", entry.item.name},
                                        {"now", finding_name(written->counts.condition.value_or(Finding::unknown))},
                                        {"said", written->last_said}});
  entry.state = *written;
  if (tells) next_tell_ = at;
  if (entry.trend == nullptr || missed || ports_.sleeper.now() < entry.next_trend) return;
  entry.next_trend = ports_.sleeper.now() + 1min;
  judge_trend_of(entry, *entry.trend, at);
}

std::shared_ptr<Event> Watcher::next_wake() {
  const std::scoped_lock lock(inbox_->mutex);
  if (!inbox_->finished.empty()) return nullptr;
  return inbox_->wake = std::make_shared<Event>();
}

bool Watcher::is_running() const {
  return std::ranges::any_of(entries_, [](const auto& entry) { return entry->running && !entry->given_up; });
}

Instant Watcher::wake_at(WallTime now) const {
  const Instant at = ports_.sleeper.now();
  Duration wait = longest_wait;
  for (const auto& entry : entries_) {
    if (entry->is_trend) continue;
    // What is due and was not started waits for a thread, that is for the end of another run.
    const WallTime due = entry->next_due > now ? entry->next_due : entry->item.schedule.next(entry->next_due);
    wait = std::min(wait, std::max(due - now, Duration(1ms)));
    if (entry->running && !entry->given_up) wait = std::min(wait, entry->deadline + grace - at);
  }
  wait = std::min({wait, std::max(next_beat_ - now, Duration(1ms)), std::max(next_tell_ - now, Duration(1ms))});
  return at + std::max(wait, Duration::zero());
}

void Watcher::drain() {
  for (const auto& entry : entries_)
    if (entry->running && entry->ended) ports_.tasks.join(*entry->ended);
  if (beating_ && inbox_->beat_ended) ports_.tasks.join(*inbox_->beat_ended);
  // The last of them may still hold the lock under which it said that it was done.
  const std::scoped_lock lock(inbox_->mutex);
}

std::vector<CheckState> Watcher::states() const {
  std::vector<CheckState> out;
  for (const auto& entry : entries_)
    if (!entry->is_trend || entry->state.last) out.push_back(entry->state);
  return out;
}

}  // namespace serin::watch
