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

void Permit::give_back() noexcept { owner_->release(generation_, probe_); }
void Permit::report(OutcomeClass outcome, Duration took, Instant now) {
  if (Breaker* owner = std::exchange(owner_, nullptr)) owner->report(generation_, probe_, outcome, took, now);
}

/// Everything that changes, under one lock: a handful of integers, held for nanoseconds.
struct Breaker::Inside {
  Inside(const BreakerOptions& options, std::atomic<std::uint64_t>& gate_of, std::atomic<bool>& steady_of)
      : gate(gate_of),
        steady(steady_of),
        by_calls(options.window == WindowKind::calls ? options.calls : 1),
        by_time(options.length, options.buckets),
        held_open(refusal(options, "is held open by hand")),
        is_open(refusal(options, "is open")),
        is_trying(refusal(options, "is half-open and has enough calls out to see")) {}
  static Error refusal(const BreakerOptions& options, std::string_view why) {
    return fail(Errc::rejected, fmt::format("breaker '{}' {}", options.name, why)).error();
  }

  std::atomic<std::uint64_t>& gate;
  std::atomic<bool>& steady;
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
    steady.store(false, std::memory_order_relaxed);
  }
  /// After a report to a closed breaker. By time each success counts, and by speed each has to be timed.
  void publish_steady(const BreakerOptions& options) noexcept {
    const Counts& counts = by_calls.counts();
    const bool full_of_successes = options.window == WindowKind::calls && counts.calls == options.calls &&
                                   counts.failures == 0 && counts.slow == 0;
    const bool none_in_a_row = options.window == WindowKind::consecutive && in_a_row == 0;
    const bool now =
        state == State::closed && options.slow_call == Duration::zero() && (full_of_successes || none_in_a_row);
    if (now != steady.load(std::memory_order_relaxed)) steady.store(now, std::memory_order_relaxed);
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

Breaker::Breaker(BreakerOptions options)
    : options_(std::move(options)), inside_(std::make_unique<Inside>(options_, gate_, steady_)) {}
Breaker::~Breaker() = default;

Result<std::unique_ptr<Breaker>> Breaker::make(BreakerOptions options) {
  const std::string where = options.name.empty() ? "breaker: " : fmt::format("breaker '{}': ", options.name);
  SERIN_CHECK(wrongs(options).status(where));
  return std::unique_ptr<Breaker>(new Breaker(std::move(options)));
}

Result<Permit> Breaker::acquire(Instant now) {
  if (std::optional<Permit> permit = acquire_if_closed()) return *std::move(permit);
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
  in.publish_steady(options_);
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
