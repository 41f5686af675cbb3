// What happens beside the borrowers: ageing, making, closing, checking, and the threads that do it.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <span>
#include <system_error>
#include <utility>

#include "serin/pool/engine.hpp"

namespace serin::pool {
namespace {

constexpr Duration failures_count_for = 15s;
constexpr std::size_t failures_that_matter = 2;
constexpr Duration longest_nap = 1h;

/// Less U(0, 10 %), so that what was made together does not end together.
Duration attenuated(Duration full, Random& random) {
  return full - Duration(static_cast<Duration::rep>(static_cast<double>(full.count()) * 0.1 * random.unit()));
}

std::string text_of(const std::source_location& caller) {
  return fmt::format("{}:{} {}", caller.file_name(), caller.line(), caller.function_name());
}

}  // namespace

bool Engine::is_failing(Instant now) const {
  return failures_.size() >= failures_that_matter && now - failures_.front() < failures_count_for;
}

/// Waiting for a return is renting, making one is buying: rent as long as the queue drains sooner than one is made, and
/// buy once as much time went into renting as buying costs. So nobody waits more than twice as long as with the better
/// of the two.
bool Engine::returns_are_sooner(Instant now) const {
  if (lent() <= 0 || create_mean_ == Duration::zero()) return false;
  const Duration stood = now - queue_since_;
  if (stood >= create_mean_) return false;
  // Nothing came back yet: a moment to learn how long they are used.
  if (use_mean_ == Duration::zero()) return stood < create_mean_ / 8;
  const int rounds = (queue_.size() + lent() - 1) / lent();
  return use_mean_ * rounds < create_mean_;
}

int Engine::wanted(Instant now) const {
  if (closed_ || paused_ || now < next_create_) return 0;
  const int waiters = queue_.empty() || returns_are_sooner(now) ? 0 : queue_.size();
  const int hands = is_failing(now) ? 1 : options_.creators;
  return std::max(0, std::min({std::max(fill_, waiters) - creating_, max_ - total_, hands - creating_}));
}

Instant Engine::next_due(Instant now) const {
  Instant due = Instant::max();
  if (closed_ || paused_ || total_ >= max_ || (queue_.empty() && fill_ <= creating_)) return due;
  if (now < next_create_) due = next_create_;
  if (!queue_.empty() && create_mean_ > Duration::zero())
    for (const Instant look : {queue_since_ + create_mean_ / 8, queue_since_ + create_mean_})
      if (look > now) due = std::min(due, look);
  return due;
}

std::optional<Job> Engine::next_job(Instant now) {
  const std::scoped_lock lock(mutex_);
  return take_job(now);
}

std::optional<Job> Engine::take_job(Instant now) {
  if (stopping_) return std::nullopt;
  if (wanted(now) > 0) {
    Slot* slot = nullptr;
    if (free_.empty()) {
      slot = &slots_->grow();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slot->state.store(Slot::State::creating, std::memory_order_relaxed);
    ++total_;
    ++creating_;
    return Job{Job::Kind::create, slot};
  }
  if (upkeep_running_ > 0) return std::nullopt;
  if (!to_close_.empty()) {
    Slot* const slot = to_close_.front();
    to_close_.pop_front();
    ++upkeep_running_;
    return Job{Job::Kind::close, slot};
  }
  if (!check_due_) return std::nullopt;
  idle_->close();
  Slot* due = nullptr;
  for (Slot* slot = idle_->top(); slot != nullptr && due == nullptr; slot = idle_->below(*slot)) {
    const bool suspect = slot->fresh_until.get() == Instant::min();
    const bool sleepy =
        options_.keepalive > 0s && now >= std::max(slot->last_used.get(), slot->verified_at.get()) + slot->keepalive;
    if (!suspect && !sleepy) continue;
    ++(suspect ? counters_.validations : counters_.keepalives);
    due = slot;
  }
  if (due == nullptr) {
    check_due_ = false;
  } else {
    idle_->remove(*due);
    due->state.store(Slot::State::checking, std::memory_order_relaxed);
    ++checking_;
    ++upkeep_running_;
  }
  reopen();
  return due == nullptr ? std::nullopt : std::optional(Job{Job::Kind::check, due});
}

void Engine::run(const Job& job) {
  switch (job.kind) {
    case Job::Kind::create: return run_create(*job.slot);
    case Job::Kind::close: return run_close(*job.slot);
    case Job::Kind::check: return run_check(*job.slot);
  }
}

void Engine::run_create(Slot& slot) {
  const Instant began = clock_.now();
  Result<void*> made = nullptr;
  try {
    made = hooks_.create(Deadline::after(began, options_.create_timeout), stop_creating_.get_token());
  } catch (const std::exception& foreign) {
    made = fail(Errc::internal, fmt::format("creating a {} threw: {}", options_.name, foreign.what()));
  }
  const Instant now = clock_.now();
  if (!made) return creation_failed(slot, made.error(), now);
  slot.resource = *made;
  created(slot, began, now);
}

void Engine::created(Slot& slot, Instant began, Instant now) {
  void* to_wake = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    idle_->close();
    --creating_;
    ++counters_.created;
    creation_.add(now - began);
    create_mean_ = create_mean_ == Duration::zero() ? now - began : create_mean_ + (now - began - create_mean_) / 8;
    fill_ = std::max(0, fill_ - 1);
    failures_.clear();
    next_create_ = now;
    backoff_ = {};
    slot.poisoned.store(false, std::memory_order_relaxed);
    slot.retire_at.set(options_.max_lifetime > 0s ? now + attenuated(options_.max_lifetime, random_) : Instant::max());
    slot.idle_limit = attenuated(options_.idle_timeout, random_);
    slot.keepalive = attenuated(options_.keepalive, random_);
    to_wake = place(slot, now, true);
    reopen();
    changed_.notify_all();
    kick();  // the next one may be due
  }
  Parker::wake(to_wake);
}

void Engine::creation_failed(Slot& slot, const Error& error, Instant now) {
  {
    const std::scoped_lock lock(mutex_);
    slot.state.store(Slot::State::free, std::memory_order_relaxed);
    free_.push_back(&slot);
    --creating_;
    --total_;
    ++counters_.create_failures;
    failures_.push_back(now);
    if (failures_.size() > failures_that_matter) failures_.pop_front();
    last_failure_ = error;
    last_failure_at_ = now;
    backoff_ = backoff_ == Duration::zero() ? options_.first_backoff : std::min(backoff_ * 2, options_.most_backoff);
    next_create_ = now + backoff_;
    idle_->close();
    const bool down = total_ - closing_count_ - creating_ == 0;
    while (down && options_.when_down == WhenDown::fail && !queue_.empty())
      end_wait(*queue_.first(), Waiter::End::failed);
    reopen();
    changed_.notify_all();
    kick();
  }
  say(LogLevel::warn, "pool: a creation failed", {{"error", error.text()}});
}

void Engine::run_close(Slot& slot) {
  hooks_.destroy(std::exchange(slot.resource, nullptr));
  const std::scoped_lock lock(mutex_);
  slot.poison.clear();
  slot.state.store(Slot::State::free, std::memory_order_relaxed);
  free_.push_back(&slot);
  --total_;
  --closing_count_;
  --upkeep_running_;
  changed_.notify_all();
  kick();  // there is room again
}

void Engine::run_check(Slot& slot) {
  const Instant began = clock_.now();
  const Status lives = ask(slot, began, Deadline::never());
  const Instant now = clock_.now();
  void* to_wake = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    idle_->close();
    --checking_;
    --upkeep_running_;
    if (lives) {
      slot.verified_at.set(began);
      slot.fresh_until.set(now + fresh_for_);
      to_wake = place(slot, now, false);
    } else {
      retire(slot, Closed::dead);
      suspect_others(began);
    }
    reopen();
  }
  Parker::wake(to_wake);
  if (!lives) say(LogLevel::warn, "pool: one was found dead", {{"error", lives.error().text()}});
}

std::vector<Engine::Report> Engine::age(Instant now) {
  std::vector<Report> reports;
  idle_->close();
  for (Waiter* waiter = queue_.first(); waiter != nullptr;) {
    Waiter* const next = waiter->after;
    if (waiter->until.passed(now)) end_wait(*waiter, Waiter::End::timed_out);
    waiter = next;
  }
  std::vector<Slot*> idle;  // what was used last comes first
  for (Slot* slot = idle_->top(); slot != nullptr; slot = idle_->below(*slot)) idle.push_back(slot);
  int stay = static_cast<int>(idle.size());
  for (auto each = idle.rbegin(); each != idle.rend(); ++each) {
    Slot& slot = **each;
    const bool old = now >= slot.retire_at.get();
    const bool unused = options_.idle_timeout > 0s && stay > min_idle_ && now >= slot.last_used.get() + slot.idle_limit;
    if (!old && !unused) continue;
    idle_->remove(slot);
    retire(slot, old ? Closed::lifetime : Closed::idle);
    --stay;
  }
  fill_ = closed_ ? 0 : std::max(0, min_idle_ - stay);
  if (hooks_.validate && options_.keepalive > 0s && stay > 0) check_due_ = true;
  if (options_.leak_after > 0s) look_for_leaks(now, reports);
  reopen();
  return reports;
}

/// Lent and returned without the lock, so a loan may end while it is looked at: its number tells. A report that lost
/// that race is taken back by the next look.
void Engine::look_for_leaks(Instant now, std::vector<Report>& reports) {
  for (std::uint32_t number = 1; number <= slots_->size(); ++number) {
    Slot& slot = (*slots_)[number];
    const std::uint64_t loan = slot.loans.load(std::memory_order_acquire);
    const Instant lent_at = slot.lent_at.get();
    const auto caller = slot.caller.load(std::memory_order_relaxed);
    const int thread = slot.thread.load(std::memory_order_relaxed);
    const bool lent = slot.state.load(std::memory_order_relaxed) == Slot::State::lent;
    if (const std::uint64_t reported = slot.reported.load(std::memory_order_relaxed);
        reported != 0 && (reported != loan || !lent)) {
      if (slot.reported.exchange(0, std::memory_order_relaxed) == 0) continue;
      ++counters_.leaks_returned;
      reports.push_back({"", 0, Duration::zero(), true});
      continue;
    }
    if (!lent || now - lent_at < options_.leak_after || slot.reported.load(std::memory_order_relaxed) == loan) continue;
    if (slot.loans.load(std::memory_order_acquire) != loan) continue;
    slot.reported.store(loan, std::memory_order_relaxed);
    ++counters_.leaks_reported;
    reports.push_back({text_of(caller), thread, now - lent_at, false});
  }
}

void Engine::sweep(Instant now) {
  if (is_of_another_process()) return;
  std::vector<Report> reports;
  {
    const std::scoped_lock lock(mutex_);
    reports = age(now);
    kick();
  }
  say(reports);
  if (options_.upkeep == Upkeep::own_threads) return;
  while (const std::optional<Job> job = next_job(now)) run(*job);
}

void Engine::keep_house() {
  std::unique_lock lock(mutex_);
  Instant next_sweep = ages_ ? clock_.now() + options_.sweep_every : Instant::max();
  while (!stopping_) {
    kicked_ = false;
    Instant now = clock_.now();
    if (now >= next_sweep) {
      const std::vector<Report> reports = age(now);
      next_sweep = now + options_.sweep_every;
      lock.unlock();
      say(reports);
      lock.lock();
      now = clock_.now();
    }
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (working_[i]) continue;
      const std::optional<Job> job = take_job(now);
      if (!job) break;
      working_[i] = true;
      try {
        workers_[i] = std::jthread([this, job = *job, i] { work(job, i); });  // its predecessor has nothing left to do
      } catch (const std::system_error&) {  // no thread is to be had: late is better than never
        working_[i] = false;
        lock.unlock();
        run(*job);
        lock.lock();
      }
    }
    const Duration nap = std::min(next_sweep, next_due(now)) - now;
    wake_.wait_for(lock, std::clamp<Duration>(nap, 1ms, longest_nap), [this] { return kicked_ || stopping_; });
  }
}

void Engine::work(Job job, std::size_t thread) {
  for (;;) {
    run(job);
    const std::scoped_lock lock(mutex_);
    const std::optional<Job> next = take_job(clock_.now());
    if (!next) {
      working_[thread] = false;
      kick();
      return;
    }
    job = *next;
  }
}

void Engine::say(const std::vector<Report>& reports) const {
  for (const Report& report : reports)
    report.returned
        ? say(LogLevel::warn, "pool: returned after all",
              {{"caller", report.caller}, {"thread", report.thread}, {"held", format_duration(report.held)}})
        : say(LogLevel::warn, "pool: held for long",
              {{"caller", report.caller}, {"thread", report.thread}, {"held", format_duration(report.held)}});
}

void Engine::say(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
  if (log_ == nullptr || !log_->wants(level)) return;
  std::vector<LogField> all{{"pool", options_.name}};
  all.insert(all.end(), fields.begin(), fields.end());
  log_->write(level, event, all);
}

}  // namespace serin::pool
