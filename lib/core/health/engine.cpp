#include "engine.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>

#include "serin/base/redact.hpp"

namespace serin::health {
namespace {

constexpr std::size_t longest_error = 1024;

/// No text of it opens doors, or is longer than anybody reads.
CheckAnswer redacted(CheckAnswer answer) {
  answer.error = redact(answer.error).substr(0, longest_error);
  for (LogField& field : answer.details)
    if (auto* text = std::get_if<std::string>(&field.value)) {
      // With its name in front, because the name says what it is.
      const std::string whole = redact(fmt::format("{}={}", field.key, *text));
      *text = whole.substr(std::min(whole.size(), field.key.size() + 1));
    }
  return answer;
}

}  // namespace

struct Health::Engine::Check {
  CheckState state;
  CheckFunction sync;
  AsyncCheckFunction async;
  bool pushed = false;
  std::optional<CheckMetrics> metrics = {};
  bool removed = false;
  std::shared_ptr<const CheckFacts> shown = {};
  HealthStatus seen = HealthStatus::unknown;
  std::stop_source stop = {};
  Followers followers = {};
  void show() { shown = std::make_shared<const CheckFacts>(state.facts()); }
};

struct Health::Engine::Launch {
  std::shared_ptr<Check> check;
  std::uint64_t generation;
  CheckContext context;
};

/// What a run owes: one answer. Whoever lets it go without one has failed.
class Health::Engine::Promise {
 public:
  Promise(std::shared_ptr<Door> door, std::shared_ptr<Check> check, std::uint64_t generation)
      : door_(std::move(door)), check_(std::move(check)), generation_(generation) {}
  ~Promise() { keep(CheckAnswer::fail("no_answer", "it ended without an answer")); }
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  void keep(CheckAnswer answer) {
    if (kept_.test_and_set()) return;
    if (!door_->gate.enter()) return;  // the engine is gone, and nobody waits for this any more
    Followers ready;
    std::vector<Change> changes;
    door_->engine->finished(check_, generation_, redacted(std::move(answer)), ready, changes);
    door_->gate.leave();
    Engine::answer(door_, ready);
  }
  /// Whatever a check throws is its answer; it never takes the others along.
  void guard(const std::function<void()>& run) {
    try {
      run();
    } catch (const std::exception& error) {
      keep(CheckAnswer::fail("exception", error.what()));
    } catch (...) {
      keep(CheckAnswer::fail("exception", "it threw something that is no std::exception"));
    }
  }

 private:
  std::shared_ptr<Door> door_;
  std::shared_ptr<Check> check_;
  std::uint64_t generation_;
  std::atomic_flag kept_;
};

Health::Engine::Engine(HealthOptions options, const Clock& clock, HealthParts parts)
    : options_(options),
      clock_(clock),
      parts_(parts),
      threads_(options.threads),
      door_(std::make_shared<Door>()),
      published_(
          std::make_unique<const Snapshot>(Snapshot{.liveness_fails_readiness = options.liveness_fails_readiness})) {
  door_->engine = this;
}

void Health::Engine::begin() {
  if (parts_.metrics != nullptr)
    parts_.metrics->on_expose([door = door_] {
      if (!door->gate.enter()) return;
      door->engine->expose();
      door->gate.leave();
    });
  if (!parts_.scheduled) return;
  threads_.schedule([this]() -> Duration { return Deadline(poll()).left(clock_.now()); });  // joined by stop()
}

Status Health::Engine::insert(CheckOptions options, CheckFunction sync, AsyncCheckFunction async, bool pushed) {
  std::vector<std::string> mistakes = mistakes_of(options);
  if (!pushed && !sync && !async) mistakes.push_back(fmt::format("check '{}': there is no function", options.name));
  if (pushed) {
    if (options.ttl <= Duration::zero())
      mistakes.push_back(fmt::format("check '{}': ttl must be > 0 when nobody asks it", options.name));
    options.every = Duration::zero();
    if (options.max_staleness == Duration::zero()) options.max_staleness = options.ttl;
  }
  if (!mistakes.empty()) return fail(Errc::invalid_argument, fmt::format("{}", fmt::join(mistakes, "; ")));
  const std::string name = options.name;
  const bool enabled = options.enabled;
  auto check = std::make_shared<Check>(Check{.state = CheckState(std::move(options), clock_.now()),
                                             .sync = std::move(sync),
                                             .async = std::move(async),
                                             .pushed = pushed});
  if (pushed) check->state.never_due();
  if (enabled && parts_.metrics != nullptr) check->metrics.emplace(*parts_.metrics, check->state.options());
  check->show();
  {
    const std::scoped_lock lock(mutex_);
    if (find(name) != checks_.end()) return fail(Errc::conflict, fmt::format("there is a check '{}' already", name));
    if (!enabled) return {};
    checks_.push_back(std::move(check));
    static_cast<void>(publish(clock_.now()));
  }
  wake();
  return {};
}

Status Health::Engine::push(std::string_view name, CheckAnswer answer) {
  answer = redacted(std::move(answer));
  std::vector<Change> changes;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = find(name);
    if (found == checks_.end() || !(*found)->pushed)
      return fail(Errc::not_found, fmt::format("no pushed check '{}'", name));
    Check& check = **found;
    if (check.metrics) check.metrics->finished(CheckMetrics::result_of(answer), Duration::zero());
    const Instant now = clock_.now();
    const std::uint64_t generation = check.state.start(now);
    static_cast<void>(check.state.finish(generation, now, clock_.wall(), std::move(answer), 0));
    check.show();
    changes = publish(now);
  }
  wake();  // it gets old at another time now
  log(changes);
  if (!changes.empty()) tell();
  return {};
}

Status Health::Engine::remove(std::string_view name) {
  Followers ready;
  std::stop_source stop;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = find(name);
    if (found == checks_.end()) return fail(Errc::not_found, fmt::format("no check '{}'", name));
    const std::shared_ptr<Check> check = std::move(*found);
    check->removed = true;
    if (check->metrics) check->metrics->clear();
    stop = check->stop;
    checks_.erase(found);
    const Instant now = clock_.now();
    static_cast<void>(publish(now));
    settle(check, ready);
    write_reports(ready, now);
  }
  stop.request_stop();
  answer(door_, ready);
  tell();
  return {};
}

void Health::Engine::ask(const Selection& selection, Deadline deadline,
                         std::function<void(std::optional<HealthReport>)> done) {
  std::optional<HealthReport> at_once;
  bool waits = false;
  {
    const std::scoped_lock lock(mutex_);
    const Instant now = clock_.now();
    auto follower = std::make_shared<Follower>(Follower{.selection = selection, .deadline = deadline, .done = {}});
    bool first = false;
    if (phase_ != Phase::stopped && !deadline.passed(now))
      for (const auto& check : checks_) {
        if (check->pushed || check->state.stuck() || !check->state.outdated(now)) continue;
        if (published_.read([&](const Snapshot& known) {
              return known.selects(*check->shown, selection, now) != Snapshot::Selected::counted;
            }))
          continue;
        if (!check->state.facts().asked_at) {
          check->state.asked(now);
          check->show();
          first = true;
        }
        check->followers.push_back(follower);
        ++follower->pending;
      }
    if (first) static_cast<void>(publish(now));
    waits = follower->pending > 0;
    if (waits) {
      follower->done.swap(done);
      followers_.push_back(std::move(follower));
    } else {
      at_once = published_.read([&](const Snapshot& known) { return known.report(selection, now); });
    }
  }
  if (!waits)
    contained(door_, [&] { done(std::move(at_once)); });
  else if (parts_.scheduled)
    wake();
  else
    poll();
}

void Health::Engine::on_change(std::function<void()> listener) {
  const std::scoped_lock lock(telling_mutex_);
  listeners_.push_back(std::move(listener));
}

void Health::Engine::happened(Event event, std::string reason) {
  std::vector<Change> changes;
  {
    const std::scoped_lock lock(mutex_);
    switch (event) {
      case Event::started: started_ = true; break;
      case Event::refused: refused_ = std::move(reason); break;
      case Event::accepted: refused_.reset(); break;
      case Event::draining: phase_ = std::max(phase_, Phase::draining); break;
    }
    changes = publish(clock_.now());
  }
  log(changes);
  tell();
}

bool Health::Engine::stop() {
  Followers ready;
  std::vector<std::stop_source> stops;
  {
    const std::scoped_lock lock(mutex_);
    if (phase_ == Phase::stopped) return !left_behind_;
    phase_ = Phase::stopped;
    const Instant now = clock_.now();
    static_cast<void>(publish(now));
    for (const auto& check : checks_) {
      stops.push_back(check->stop);
      settle(check, ready);
    }
    write_reports(ready, now);
  }
  for (std::stop_source& one : stops) one.request_stop();
  answer(door_, ready);
  const bool all = threads_.end(options_.shutdown_grace);
  door_->gate.close();
  const std::scoped_lock lock(mutex_);
  left_behind_ = !all;
  return all;
}

Instant Health::Engine::poll() {
  std::vector<Launch> launches;
  Followers ready;
  std::vector<Change> changes;
  std::vector<std::stop_source> stops;
  {
    const std::scoped_lock lock(mutex_);
    if (phase_ == Phase::stopped) return Instant::max();
    const Instant now = clock_.now();
    for (const auto& check : checks_) {
      if (check->state.expire(now)) {
        stops.push_back(check->stop);
        if (check->metrics) check->metrics->timed_out();
        settle(check, ready);
      }
      const bool asked =
          !check->followers.empty() && !check->state.running() && !check->state.facts().waiting_since.has_value();
      if (check->pushed || !(check->state.due(now) || asked)) continue;
      check->stop = std::stop_source();
      const std::uint64_t generation = check->state.start(now);
      check->show();
      launches.push_back(
          {.check = check,
           .generation = generation,
           .context = {.deadline = Deadline(check->state.facts().run->deadline), .stop = check->stop.get_token()}});
    }
    for (const auto& follower : followers_)
      if (!follower->left && follower->deadline.passed(now)) {
        follower->left = true;
        ready.push_back(follower);
      }
    std::erase_if(followers_, [](const auto& follower) { return follower->left; });
    const bool changed = !launches.empty() || !ready.empty() || !stops.empty() ||
                         published_.read([&](const Snapshot& known) { return now >= known.glances[0].until; });
    if (changed) changes = publish(now);
    write_reports(ready, now);
  }
  for (std::stop_source& one : stops) one.request_stop();
  launch(launches);
  log(changes);
  answer(door_, ready);
  if (!changes.empty()) tell();
  const std::scoped_lock lock(mutex_);
  const Instant now = clock_.now();
  Instant next = Instant::max();
  for (const auto& check : checks_) next = std::min(next, check->state.next_event(now));
  for (const auto& follower : followers_) next = std::min(next, follower->deadline.at());
  return next;
}

bool Health::Engine::submit(Lane lane, std::function<void()> work) {
  return parts_.executor != nullptr ? parts_.executor->submit(std::move(work)) : threads_.submit(lane, std::move(work));
}

void Health::Engine::launch(const std::vector<Launch>& launches) {
  for (const Launch& one : launches) {
    const auto promise = std::make_shared<Promise>(door_, one.check, one.generation);
    auto work = [promise, check = one.check, context = one.context] {
      promise->guard([&] {
        if (check->async)
          check->async(context, [promise](CheckAnswer answer) { promise->keep(std::move(answer)); });
        else
          promise->keep(check->sync(context));
      });
    };
    if (submit(one.check->async ? Lane::starting : Lane::blocking, std::move(work))) continue;
    const std::scoped_lock lock(mutex_);
    one.check->state.cancel(one.generation, clock_.now());
    one.check->show();
    static_cast<void>(publish(clock_.now()));
  }
}

void Health::Engine::finished(const std::shared_ptr<Check>& check, std::uint64_t generation, CheckAnswer answer,
                              Followers& ready, std::vector<Change>& changes) {
  Duration lasted{};
  {
    const std::scoped_lock lock(mutex_);
    if (check->removed || phase_ == Phase::stopped) return;
    const Instant now = clock_.now();
    const double jitter = parts_.random != nullptr ? parts_.random->unit() : 0;
    const std::string_view said = CheckMetrics::result_of(answer);
    if (check->state.expire(now) && check->metrics) check->metrics->timed_out();
    const auto counted = check->state.finish(generation, now, clock_.wall(), std::move(answer), jitter);
    if (counted == CheckState::Finished::dropped) return;
    lasted = check->state.facts().lasted;
    if (check->metrics) check->metrics->finished(counted == CheckState::Finished::counted ? said : "timeout", lasted);
    check->show();
    changes = publish(now);
    settle(check, ready);
    write_reports(ready, now);
  }
  wake();
  log_slow(check->state.options(), lasted);
  log(changes);
  if (!changes.empty()) tell();
}

void Health::Engine::expose() {
  const std::scoped_lock lock(mutex_);
  const Instant now = clock_.now();
  for (const auto& check : checks_)
    if (check->metrics) check->metrics->show(check->state.facts(), now);
  parts_.metrics->gauge("health_draining", "1: the process is ending.").set(phase_ == Phase::accepting ? 0 : 1);
}

void Health::Engine::wake() {
  if (parts_.scheduled) threads_.wake();
}

// ---- under the lock
// --------------------------------------------------------------------------------------------------

Health::Engine::Checks::iterator Health::Engine::find(std::string_view name) {
  return std::ranges::find_if(checks_, [&](const auto& check) { return check->state.options().name == name; });
}

/// Lets those go who wait for nothing but this check.
void Health::Engine::settle(const std::shared_ptr<Check>& check, Followers& ready) {
  for (const auto& follower : check->followers)
    if (--follower->pending == 0 && !follower->left) {
      follower->left = true;
      ready.push_back(follower);
    }
  check->followers.clear();
  std::erase_if(followers_, [](const auto& follower) { return follower->left; });
}

void Health::Engine::write_reports(const Followers& ready, Instant now) const {
  for (const auto& follower : ready)
    follower->report = published_.read([&](const Snapshot& known) { return known.report(follower->selection, now); });
}

/// Shows everybody what is known now: the snapshot first and its version after it, so that who reads the version and
/// then the snapshot never takes an old answer for a new one. Answers what changed its status.
std::vector<Health::Engine::Change> Health::Engine::publish(Instant now) {
  auto next = std::make_unique<Snapshot>();
  next->version = version_.load(std::memory_order_relaxed) + 1;
  next->phase = phase_;
  next->liveness_fails_readiness = options_.liveness_fails_readiness;
  next->refused = refused_;
  next->checks.reserve(checks_.size());
  std::vector<Change> changes;
  for (const auto& check : checks_) {
    next->checks.push_back(check->shown);
    next->has_startup |= has(check->state.options().kinds, Kind::startup);
    const HealthStatus status = check->shown->contribution(now);
    const HealthStatus before = std::exchange(check->seen, status);
    if (before == status) continue;
    const CheckReport told = check->shown->report(now);
    changes.push_back(
        {.name = told.name, .from = before, .to = status, .reason = told.answer.reason, .error = told.answer.error});
  }
  // While it is refused more checks may come: what has started so far is not all of it.
  if (!started_ && !refused_ && !checks_.empty() && next->judge(Kind::startup, now) <= HealthStatus::degraded)
    started_ = true;
  next->started = started_;
  next->look(now);
  const std::uint64_t version = next->version;
  published_.publish(std::move(next));
  version_.store(version, std::memory_order_release);
  return changes;
}

}  // namespace serin::health
