#include "serin/breaker/breaker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "window.hpp"

namespace serin::breaker {

std::string_view state_name(State state) noexcept {
  switch (state) {
    case State::closed: return "closed";
    case State::open: return "open";
    case State::half_open: return "half_open";
  }
  return "open";
}

Permit::Permit(Permit&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), generation_(other.generation_), probe_(other.probe_) {}
Permit::~Permit() {
  if (owner_ != nullptr) owner_->release(generation_, probe_);
}
void Permit::report(OutcomeClass outcome, Duration took, Instant now) {
  if (Breaker* owner = std::exchange(owner_, nullptr)) owner->report(generation_, probe_, outcome, took, now);
}

/// Everything that changes, under one lock: a handful of integers, held for nanoseconds.
struct Breaker::Inside {
  explicit Inside(const BreakerOptions& options)
      : by_calls(options.window == WindowKind::calls ? options.calls : 1),
        by_time(options.length, options.buckets),
        held_open(refusal(options, "is held open by hand")),
        is_open(refusal(options, "is open")),
        is_trying(refusal(options, "is half-open and has enough calls out to see")) {}
  static Error refusal(const BreakerOptions& options, std::string_view why) {
    return fail(Errc::rejected, fmt::format("breaker '{}' {}", options.name, why)).error();
  }

  // Written under the lock, read without: generation x 2, and 1 where every call is let through. A closed breaker so
  // takes the lock once a call, to count its end; who was let through just before it opened says nothing by then.
  std::atomic<std::uint64_t> gate = 1;
  mutable std::mutex mutex;
  State state = State::closed;
  Override override = Override::none;
  std::uint64_t generation = 0;  // of the state: what was let through before a change says nothing after it
  CountWindow by_calls;
  TimeWindow by_time;
  int in_a_row = 0;
  int times_open = 0;  // without having been closed in between
  Instant opened{};
  Duration open_for{};
  std::deque<Instant> probes;  // when each probe in flight was let through, oldest first
  Counts probed;
  std::int64_t rejected = 0;
  std::int64_t opened_ever = 0;
  // Made once: refusing must cost less than being refused.
  Error held_open;
  Error is_open;
  Error is_trying;

  std::function<void(State, State)> listener;        // set before use
  std::vector<std::pair<State, State>> to_announce;  // guarded by mutex
  std::atomic<bool> has_news = false;                // whether to_announce holds something
  std::recursive_mutex announcing;                   // one announcement after the other; never taken under mutex

  void enter(State next) {
    if (listener && next != state) {
      to_announce.emplace_back(state, next);
      has_news.store(true, std::memory_order_relaxed);
    }
    state = next;
    ++generation;
    probes.clear();
    probed = {};
    publish();
  }
  void publish() noexcept {
    const bool counts_only = override == Override::disabled || override == Override::metrics_only;
    const bool open_to_all = counts_only || (override == Override::none && state == State::closed);
    gate.store(generation * 2 + (open_to_all ? 1 : 0), std::memory_order_release);
  }
  void open(const BreakerOptions& options, Instant now) {
    enter(State::open);
    opened = now;
    const double seconds = seconds_of(options.open_for) * std::pow(options.open_growth, std::min(times_open, 60));
    open_for = std::min(options.open_most, duration_of_seconds(seconds));
    ++times_open;
    ++opened_ever;
  }
  void close() {
    enter(State::closed);
    times_open = 0;
    in_a_row = 0;
    by_calls.clear();
    by_time.clear();
  }
  [[nodiscard]] Counts counts(const BreakerOptions& options, Instant now) {
    switch (options.window) {
      case WindowKind::calls: return by_calls.counts();
      case WindowKind::time: return by_time.counts(now);
      case WindowKind::consecutive: return {.calls = in_a_row, .failures = in_a_row, .slow = 0};
    }
    return {};
  }
  [[nodiscard]] bool is_bad(const BreakerOptions& options, const Counts& counts, std::int64_t least) const {
    if (counts.calls < least || (counts.failures == 0 && counts.slow == 0)) return false;
    const auto calls = static_cast<double>(counts.calls);
    return static_cast<double>(counts.failures) >= options.failure_rate * calls ||
           (options.slow_call > Duration::zero() && static_cast<double>(counts.slow) >= options.slow_rate * calls);
  }
};

/// Stands before the lock in a function, so that it acts after the lock is released.
struct Breaker::Announcement {
  explicit Announcement(Inside& of) : in(of) {}
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;
  ~Announcement() {
    if (!in.has_news.load(std::memory_order_relaxed)) return;
    const std::scoped_lock order(in.announcing);
    std::vector<std::pair<State, State>> news;
    {
      const std::scoped_lock lock(in.mutex);
      in.has_news.store(false, std::memory_order_relaxed);
      news.swap(in.to_announce);
    }
    for (const auto& [from, to] : news) in.listener(from, to);
  }
  Inside& in;
};

void Breaker::on_change(std::function<void(State, State)> listener) { inside_->listener = std::move(listener); }

Breaker::Breaker(BreakerOptions options) : options_(std::move(options)), inside_(std::make_unique<Inside>(options_)) {}
Breaker::~Breaker() = default;

Result<std::unique_ptr<Breaker>> Breaker::make(BreakerOptions options) {
  const std::string where = options.name.empty() ? "breaker: " : fmt::format("breaker '{}': ", options.name);
  SERIN_CHECK(wrongs(options).status(where));
  return std::unique_ptr<Breaker>(new Breaker(std::move(options)));
}

Result<Permit> Breaker::acquire(Instant now) {
  const std::uint64_t gate = inside_->gate.load(std::memory_order_acquire);
  if (gate % 2 == 1) return Permit(this, gate / 2, false);
  return acquire_unless_refused(now);
}

Result<Permit> Breaker::acquire_unless_refused(Instant now) {
  Inside& in = *inside_;
  const Announcement after(in);
  const std::scoped_lock lock(in.mutex);
  if (in.override == Override::disabled || in.override == Override::metrics_only)
    return Permit(this, in.generation, false);
  if (in.override == Override::forced_open) {
    ++in.rejected;
    return pass(in.held_open);
  }
  if (in.state == State::open && now >= in.opened + in.open_for) in.enter(State::half_open);
  switch (in.state) {
    case State::closed: return Permit(this, in.generation, false);
    case State::open: ++in.rejected; return pass(in.is_open);
    case State::half_open: break;
  }
  // A probe that never reports is given up after its lease, so that its place is not lost for good.
  while (!in.probes.empty() && now - in.probes.front() >= options_.half_open_lease) in.probes.pop_front();
  if (in.probed.calls + static_cast<std::int64_t>(in.probes.size()) >= options_.half_open_calls) {
    ++in.rejected;
    return pass(in.is_trying);
  }
  in.probes.push_back(now);
  return Permit(this, in.generation, true);
}

void Breaker::report(std::uint64_t generation, bool probe, OutcomeClass outcome, Duration took, Instant now) {
  if (outcome == OutcomeClass::ignored) return release(generation, probe);
  Inside& in = *inside_;
  const Announcement after(in);
  const std::scoped_lock lock(in.mutex);
  if (generation != in.generation || in.override == Override::disabled) return;
  const bool failed = is_failure(outcome);
  const bool slow = options_.slow_call > Duration::zero() && took >= options_.slow_call;
  if (in.state == State::half_open) {
    if (!in.probes.empty()) in.probes.pop_front();
    ++in.probed.calls;
    in.probed.failures += failed ? 1 : 0;
    in.probed.slow += slow ? 1 : 0;
    // Already lost, whatever the rest says: no need to send more users there.
    Counts at_best = in.probed;
    at_best.calls = options_.half_open_calls;
    if (in.is_bad(options_, at_best, 1)) return in.open(options_, now);
    if (in.probed.calls >= options_.half_open_calls) in.close();
    return;
  }
  if (in.state != State::closed) return;
  in.in_a_row = failed ? in.in_a_row + 1 : 0;
  switch (options_.window) {
    case WindowKind::calls: in.by_calls.add(failed, slow); break;
    case WindowKind::time: in.by_time.add(failed, slow, now); break;
    case WindowKind::consecutive: break;
  }
  if (in.override == Override::metrics_only) return;
  const std::int64_t least = options_.window == WindowKind::consecutive ? options_.calls : options_.min_calls;
  if (in.is_bad(options_, in.counts(options_, now), least)) in.open(options_, now);
}

void Breaker::release(std::uint64_t generation, bool probe) {
  if (!probe) return;
  Inside& in = *inside_;
  const std::scoped_lock lock(in.mutex);
  if (generation == in.generation && !in.probes.empty()) in.probes.pop_back();
}

void Breaker::set_override(Override override, Instant now) {
  Inside& in = *inside_;
  const Announcement after(in);
  const std::scoped_lock lock(in.mutex);
  in.override = override;
  in.publish();
  if (override == Override::none && in.state == State::open) in.opened = std::min(in.opened, now);
}

void Breaker::reset() {
  const Announcement after(*inside_);
  const std::scoped_lock lock(inside_->mutex);
  inside_->close();
}

Breaker::Snapshot Breaker::snapshot(Instant now) const {
  Inside& in = *inside_;
  const std::scoped_lock lock(in.mutex);
  const Counts counts = in.state == State::half_open ? in.probed : in.counts(options_, now);
  Snapshot out{.state = in.state,
               .override = in.override,
               .calls = counts.calls,
               .failures = counts.failures,
               .slow = counts.slow,
               .rejected = in.rejected,
               .opened = in.opened_ever};
  if (in.state == State::open) out.opens_again_in = std::max(Duration::zero(), in.opened + in.open_for - now);
  return out;
}

}  // namespace serin::breaker
