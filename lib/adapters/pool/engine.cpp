#include "serin/pool/engine.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <string_view>

namespace serin::pool {
namespace {

// A clock that somebody passed in may stand or run: how long a sleep goes on without looking at it.
constexpr Duration look_every = 100ms;
constexpr Duration forever = 24h * 365 * 100;

void pause_core() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void learn(Duration& mean, Duration value) noexcept {
  mean = mean == Duration::zero() ? value : mean + (value - mean) / 8;
  mean = std::max(mean, Duration(1));
}

}  // namespace

Result<EngineOwner> Engine::make(Options options, Hooks hooks, const Clock& clock, Random& random, LogSink* log) {
  SERIN_CHECK(wrongs(options).status("pool."));
  auto slots = std::make_unique<Slots>();
  auto idle = IdleList::make(*slots);
  if (!idle)
    return fail(Errc::unsupported, "pool: this kernel cannot empty memory in a forked child (MADV_WIPEONFORK)");
  return EngineOwner(std::unique_ptr<Engine>(new Engine(std::move(options), std::move(hooks), clock, random, log,
                                                        std::move(idle), std::move(slots)))
                         .release());
}

Result<Slot*> Engine::borrow(Deadline deadline, const std::stop_token& stop, const std::source_location& caller) {
  Instant now = clock_.now();
  for (;;) {
    if (deadline.passed(now) || stop.stop_requested()) {
      const bool late = deadline.passed(now);
      const std::scoped_lock lock(mutex_);
      ++(late ? counters_.timeouts : counters_.cancelled);
      return late ? fail(Errc::deadline_exceeded, fmt::format("no {} was asked for before the deadline", options_.name))
                  : fail(Errc::cancelled, fmt::format("nobody needs a {} any more", options_.name));
    }
    Slot* const slot = idle_->try_pop();
    if (slot == nullptr) return queue_up(deadline, stop, caller, now);
    lend(*slot, now, caller);
    if (now < slot->fresh_until.get() && now < slot->retire_at.get()) [[likely]]
      return slot;
    if (inspect(*slot, now, deadline)) return slot;
    now = clock_.now();
  }
}

void Engine::lend(Slot& slot, Instant now, const std::source_location& caller) noexcept {
  slot.state.store(Slot::State::lent, std::memory_order_relaxed);
  slot.caller.store(caller, std::memory_order_relaxed);
  if (options_.leak_after > 0s)
    slot.thread.store(gettid(), std::memory_order_relaxed);  // a system call: only who asked
  slot.lent_at.set(now);
  slot.loans.store(slot.loans.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void Engine::give_back(Slot& slot) noexcept {
  const Instant now = clock_.now();
  const Instant lent_at = slot.lent_at.get();
  if (!slot.poisoned.load(std::memory_order_relaxed) && slot.reported.load(std::memory_order_relaxed) == 0 &&
      now < slot.retire_at.get()) [[likely]] {
    slot.use.add(now - lent_at);
    slot.last_used.set(now);
    slot.fresh_until.set(now + fresh_for_);
    slot.state.store(Slot::State::idle, std::memory_order_relaxed);
    if (idle_->try_push(slot)) [[likely]]
      return;
    slot.state.store(Slot::State::lent, std::memory_order_relaxed);
  } else {
    slot.use.add(now - lent_at);
  }
  take_back(slot, now);
}

void Engine::take_back(Slot& slot, Instant now) {
  if (idle_->is_of_another_process()) return;
  std::vector<Report> reports;
  void* to_wake = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    idle_->close();
    learn(use_mean_, now - slot.lent_at.get());
    if (slot.reported.exchange(0, std::memory_order_relaxed) != 0) {
      ++counters_.leaks_returned;
      const auto caller = slot.caller.load(std::memory_order_relaxed);
      reports.push_back({fmt::format("{}:{}", caller.file_name(), caller.line()),
                         slot.thread.load(std::memory_order_relaxed), now - slot.lent_at.get(), true});
    }
    to_wake = place(slot, now, true);
    reopen();
  }
  Parker::wake(to_wake);
  if (!reports.empty()) say(reports);
}

void* Engine::place(Slot& slot, Instant now, bool used) {
  if (used) {
    slot.last_used.set(now);
    slot.fresh_until.set(now + fresh_for_);
    slot.verified_at.set(now);
  }
  if (slot.poisoned.load(std::memory_order_relaxed)) {
    retire(slot, Closed::poisoned);
    suspect_others(now);
  } else if (closed_ || total_ - closing_count_ > max_) {
    retire(slot, Closed::surplus);
  } else if (now >= slot.retire_at.get()) {
    retire(slot, Closed::lifetime);
  } else if (!queue_.empty() && !paused_) {
    return grant(slot, now);
  } else {
    slot.state.store(Slot::State::idle, std::memory_order_relaxed);
    used ? idle_->push(slot) : idle_->append(slot);  // what was only asked has not become more recent
  }
  return nullptr;
}

void* Engine::grant(Slot& slot, Instant now) noexcept {
  Waiter& waiter = *queue_.first();
  queue_.remove(waiter);
  lend(slot, now, waiter.caller);
  ++counters_.waited;
  wait_.add(now - waiter.since);
  waiter.slot = &slot;
  waiter.end = Waiter::End::granted;
  return waiter.parker.finish();
}

void Engine::end_wait(Waiter& waiter, Waiter::End end) {
  queue_.remove(waiter);
  waiter.end = end;
  switch (end) {
    case Waiter::End::timed_out: ++counters_.timeouts; break;
    case Waiter::End::cancelled: ++counters_.cancelled; break;
    case Waiter::End::refused: ++counters_.refused; break;
    case Waiter::End::failed: ++counters_.failed; break;
    case Waiter::End::none:
    case Waiter::End::granted: break;
  }
  Parker::wake(waiter.parker.finish());
}

void Engine::retire(Slot& slot, Closed why) {
  slot.state.store(Slot::State::closing, std::memory_order_relaxed);
  switch (why) {
    case Closed::lifetime: ++counters_.closed_lifetime; break;
    case Closed::idle: ++counters_.closed_idle; break;
    case Closed::dead: ++counters_.closed_dead; break;
    case Closed::poisoned: ++counters_.closed_poisoned; break;
    case Closed::surplus: ++counters_.closed_surplus; break;
  }
  ++closing_count_;
  to_close_.push_back(&slot);
  if (!closed_) fill_ = std::max(fill_, min_idle_ - (total_ - closing_count_ - creating_));
  kick();
}

void Engine::suspect_others(Instant since) {
  if (!hooks_.validate) return;
  for (Slot* slot = idle_->top(); slot != nullptr; slot = idle_->below(*slot)) {
    if (slot->verified_at.get() >= since) continue;
    slot->fresh_until.set(Instant::min());
    check_due_ = true;
  }
  if (check_due_) kick();
}

Status Engine::ask(Slot& slot, Instant now, Deadline deadline) const {
  const bool suspect = slot.fresh_until.get() == Instant::min();
  const Deadline until = deadline.sooner(Deadline::after(now, options_.validation_timeout));
  try {
    return hooks_.validate(slot.resource, suspect ? Duration::max() : now - slot.last_used.get(), until);
  } catch (const std::exception& foreign) {
    return fail(Errc::internal, fmt::format("asking a {} threw: {}", options_.name, foreign.what()));
  }
}

bool Engine::inspect(Slot& slot, Instant now, Deadline deadline) {
  const bool old = now >= slot.retire_at.get();
  const Status lives = old ? Status() : ask(slot, now, deadline);
  {
    const std::scoped_lock lock(mutex_);
    counters_.validations += old ? 0 : 1;
    if (!old && lives) {
      slot.verified_at.set(now);
      return true;
    }
    idle_->close();
    ++discarded_;
    retire(slot, old ? Closed::lifetime : Closed::dead);
    if (!old) suspect_others(now);
    reopen();
  }
  if (!old) say(LogLevel::warn, "pool: one was found dead", {{"error", lives.error().text()}});
  return false;
}

Result<Slot*> Engine::queue_up(Deadline deadline, const std::stop_token& stop, const std::source_location& caller,
                               Instant now) {
  if (idle_->is_of_another_process())
    return fail(Errc::unsupported,
                fmt::format("a forked child cannot borrow its parent's {}: it makes a pool of its own", options_.name));
  const Deadline until = deadline.sooner(Deadline::after(now, options_.borrow_timeout));
  const Instant since = now;
  for (bool in_front = false;; in_front = true) {
    Waiter waiter{.since = since, .until = until, .caller = caller};
    SERIN_CHECK(join(waiter, now, in_front));
    {
      const std::stop_callback cancel(stop, [&] { leave(waiter, Waiter::End::cancelled); });
      wait(waiter);
    }
    if (waiter.end != Waiter::End::granted) return end_of(waiter);
    Slot& slot = *waiter.slot;
    now = slot.lent_at.get();
    // What was handed over fresh is used; a creation, a return and a resume() can hand over something older.
    if (now < slot.retire_at.get() && now < slot.fresh_until.get()) return &slot;
    if (inspect(slot, now, until)) return &slot;
    now = clock_.now();
  }
}

Status Engine::join(Waiter& waiter, Instant now, bool in_front) {
  const std::scoped_lock lock(mutex_);
  if (closed_) {
    ++counters_.refused;
    return fail(Errc::unavailable, fmt::format("the pool of {}s is closed", options_.name));
  }
  idle_->close();
  if (!paused_ && queue_.empty() && total_ - closing_count_ <= max_) {
    if (Slot* const slot = idle_->pop()) {  // came back between our look and the lock
      lend(*slot, now, waiter.caller);
      waiter.slot = slot;
      waiter.end = Waiter::End::granted;
      static_cast<void>(waiter.parker.finish());
      reopen();
      return {};
    }
  }
  if (queue_.size() >= options_.wait_queue && !in_front) {
    ++counters_.refused;
    const std::string full = counts();
    reopen();
    return fail(Errc::rejected, fmt::format("no {} is free and the queue is full: {}", options_.name, full));
  }
  const bool first = queue_.empty();
  if (first) queue_since_ = now;
  waiter.joined_first = first;
  in_front ? queue_.push_front(waiter) : queue_.push_back(waiter);
  if (total_ < max_ && (first || wanted(now) > 0)) kick();
  return {};
}

void Engine::leave(Waiter& waiter, Waiter::End end) {
  const std::scoped_lock lock(mutex_);
  if (!waiter.queued) return;
  idle_->close();
  end_wait(waiter, end);
  reopen();
}

void Engine::wait(Waiter& waiter) {
  // Who is next looks for a moment: what it waits for may be on its way on another core. Who stands further back leaves
  // the core to those it waits for.
  for (int i = 0; waiter.joined_first && i < spins_; ++i) {
    if (waiter.parker.is_done()) return;
    pause_core();
  }
  while (!waiter.parker.is_done()) {
    const Duration left = waiter.until.left(clock_.now());
    if (left == Duration::zero()) return leave(waiter, Waiter::End::timed_out);
    if (waiter.parker.park_for(std::min(left, look_every))) return;
  }
}

std::unexpected<Error> Engine::end_of(const Waiter& waiter) {
  switch (waiter.end) {
    case Waiter::End::cancelled:
      return fail(Errc::cancelled, fmt::format("told to stop while waiting for a {}", options_.name));
    case Waiter::End::refused:
      return fail(Errc::unavailable, fmt::format("the pool of {}s was closed meanwhile", options_.name));
    case Waiter::End::none:
    case Waiter::End::granted:
    case Waiter::End::failed:
    case Waiter::End::timed_out: break;
  }
  const Instant now = clock_.now();
  const std::scoped_lock lock(mutex_);
  if (waiter.end == Waiter::End::failed)
    return pass(last_failure_->in(fmt::format("there is no {}, and none can be made", options_.name)));
  idle_->close();
  std::string text = fmt::format("no {} was free in time ({}): {}", options_.name,
                                 format_duration(waiter.until.at() - waiter.since), counts());
  if (last_failure_)
    text += fmt::format("; the last creation failed {} ago: {}", format_duration(now - last_failure_at_),
                        last_failure_->text());
  reopen();
  return fail(Errc::deadline_exceeded, std::move(text));
}

std::string Engine::counts() const {
  int idle = 0;
  for (const Slot* slot = idle_->top(); slot != nullptr; slot = idle_->below(*slot)) ++idle;
  return fmt::format("{} of at most {} there, {} in use, {} idle, {} being made, {} waiting{}", total_, max_,
                     lent() - idle, idle, creating_, queue_.size(), paused_ ? ", paused" : "");
}

void Engine::reopen() noexcept {
  if (queue_.empty() && !paused_ && !closed_ && total_ - closing_count_ <= max_) idle_->open();
}

void Engine::kick() noexcept {
  if (options_.upkeep == Upkeep::by_hand || kicked_) return;
  kicked_ = true;
  wake_.notify_one();
}

void Engine::poison(Slot& slot, std::string reason) {
  say(LogLevel::warn, "pool: one was poisoned", {{"reason", reason}});
  slot.poison = std::move(reason);
  slot.poisoned.store(true, std::memory_order_relaxed);
}

Engine::Engine(Options options, Hooks hooks, const Clock& clock, Random& random, LogSink* log,
               std::unique_ptr<IdleList> idle, std::unique_ptr<Slots> slots)
    : options_(std::move(options)),
      hooks_(std::move(hooks)),
      clock_(clock),
      random_(random),
      log_(log),
      fresh_for_(hooks_.validate ? std::min<Duration>(options_.validate_after, forever) : forever),
      ages_(options_.max_lifetime > 0s || options_.idle_timeout > 0s || options_.keepalive > 0s ||
            options_.leak_after > 0s),
      spins_(std::jthread::hardware_concurrency() > 1 ? 200 : 0),
      slots_(std::move(slots)),
      idle_(std::move(idle)),
      max_(options_.max),
      min_idle_(options_.min_idle),
      fill_(options_.min_idle) {
  idle_->open();
  if (options_.upkeep == Upkeep::by_hand) return;
  const auto most = static_cast<std::size_t>(options_.creators) + 1;
  working_.resize(most);
  workers_.resize(most);
  watcher_ = std::jthread([this] { keep_house(); });
}

}  // namespace serin::pool
