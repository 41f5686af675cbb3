// What the owner of a pool does with it: start, change, stop, end, count.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "serin/pool/engine.hpp"

namespace serin::pool {
namespace {
constexpr Duration look_every = 100ms;
}

/// Waits for `done`; by hand, it does what is due itself. Returns whether it is done.
template <class Done>
bool Engine::wait_until(std::unique_lock<std::mutex>& lock, Deadline deadline, const Done& done) {
  while (!done()) {
    const Instant now = clock_.now();
    if (options_.upkeep == Upkeep::by_hand) {
      const std::optional<Job> job = take_job(now);
      if (!job) return false;  // nobody else will do anything
      lock.unlock();
      run(*job);
      lock.lock();
      continue;
    }
    const Duration left = deadline.left(now);
    if (left == Duration::zero()) return false;
    changed_.wait_for(lock, std::min(left, look_every));
  }
  return true;
}

Status Engine::warm_up(int count, Deadline deadline, OnFailure on_failure) {
  if (is_of_another_process()) return fail(Errc::unsupported, "a forked child cannot warm up its parent's pool");
  std::unique_lock lock(mutex_);
  if (count < 0 || count > max_)
    return fail(Errc::invalid_argument, fmt::format("warm_up: count must be from 0 to max, {}, not {}", max_, count));
  const int goal = count == 0 ? min_idle_ : count;
  const auto there = [this] { return total_ - creating_ - closing_count_; };
  const std::uint64_t failed_before = counters_.create_failures;
  kick();
  const bool ended = wait_until(lock, deadline, [&] {
    fill_ = std::max(fill_, goal - there());  // a sweep asks for min_idle only
    return there() >= goal || closed_ || (on_failure == OnFailure::stop && counters_.create_failures != failed_before);
  });
  if (there() >= goal) return {};
  if (closed_) return fail(Errc::unavailable, fmt::format("the pool of {}s is closed", options_.name));
  if (ended) return pass(*last_failure_);
  const std::string cause = last_failure_ ? "; the last creation failed: " + last_failure_->text() : std::string();
  return fail(Errc::deadline_exceeded,
              fmt::format("{} of {} {}s were there in time{}", there(), goal, options_.name, cause));
}

Status Engine::resize(int min_idle, int max) {
  Options checked = options_;
  checked.min_idle = min_idle;
  checked.max = max;
  SERIN_CHECK(wrongs(checked).status("pool."));
  if (is_of_another_process()) return {};
  const std::scoped_lock lock(mutex_);
  idle_->close();
  max_ = max;
  min_idle_ = min_idle;
  std::vector<Slot*> idle;
  for (Slot* slot = idle_->top(); slot != nullptr; slot = idle_->below(*slot)) idle.push_back(slot);
  for (; !idle.empty() && total_ - closing_count_ > max_; idle.pop_back()) {
    idle_->remove(*idle.back());
    retire(*idle.back(), Closed::surplus);
  }
  fill_ = std::clamp(min_idle_ - static_cast<int>(idle.size()), 0, max_);
  reopen();
  kick();
  return {};
}

void Engine::pause() {
  if (is_of_another_process()) return;
  const std::scoped_lock lock(mutex_);
  paused_ = true;
  idle_->close();
}

void Engine::resume() {
  if (is_of_another_process()) return;
  const std::scoped_lock lock(mutex_);
  paused_ = false;
  const Instant now = clock_.now();
  while (!queue_.empty()) {
    Slot* const slot = idle_->pop();
    if (slot == nullptr) break;
    Parker::wake(grant(*slot, now));
  }
  queue_since_ = now;
  reopen();
  kick();
}

Status Engine::close(Deadline deadline) {
  if (is_of_another_process()) return {};
  std::unique_lock lock(mutex_);
  idle_->close();
  closed_ = true;
  paused_ = false;
  fill_ = 0;
  while (!queue_.empty()) end_wait(*queue_.first(), Waiter::End::refused);
  while (Slot* const slot = idle_->pop()) retire(*slot, Closed::surplus);
  stop_creating_.request_stop();
  kick();
  if (wait_until(lock, deadline, [this] { return total_ == 0; })) return {};
  std::string who;
  for (std::uint32_t number = 1; number <= slots_->size(); ++number) {
    const Slot& slot = (*slots_)[number];
    if (slot.state.load(std::memory_order_relaxed) != Slot::State::lent) continue;
    const auto caller = slot.caller.load(std::memory_order_relaxed);
    who += fmt::format("{}{}:{}", who.empty() ? "" : ", ", caller.file_name(), caller.line());
  }
  return fail(Errc::deadline_exceeded, fmt::format("the pool of {}s did not end in time: {}{}{}", options_.name,
                                                   counts(), who.empty() ? "" : "; lent to ", who));
}

Stats Engine::stats() const {
  Stats out;
  if (is_of_another_process()) return out;
  const std::scoped_lock lock(mutex_);
  out = counters_;
  out.max = max_;
  out.min_idle = min_idle_;
  out.waiting = queue_.size();
  out.wait = wait_.read();
  out.creation = creation_.read();
  for (std::uint32_t number = 1; number <= slots_->size(); ++number) {
    const Slot& slot = (*slots_)[number];
    switch (slot.state.load(std::memory_order_relaxed)) {
      case Slot::State::free: break;
      case Slot::State::creating: ++out.creating; break;
      case Slot::State::idle: ++out.idle; break;
      case Slot::State::lent: ++out.in_use; break;
      case Slot::State::checking: ++out.checking; break;
      case Slot::State::closing: ++out.closing; break;
    }
    out.borrows += slot.loans.load(std::memory_order_relaxed);
    out.use.add(slot.use.read());
  }
  out.borrows -= std::min(out.borrows, discarded_);
  out.total = out.creating + out.idle + out.in_use + out.checking + out.closing;
  return out;
}

Status Engine::audit() const {
  const Stats shown = stats();
  const std::scoped_lock lock(mutex_);
  idle_->close();
  int idle = 0;
  bool states = true;
  for (Slot* slot = idle_->top(); slot != nullptr && idle <= total_; slot = idle_->below(*slot)) {
    ++idle;
    states = states && slot->state.load(std::memory_order_relaxed) == Slot::State::idle;
  }
  const bool fits = !queue_.empty() || paused_ || closed_ || total_ - closing_count_ > max_;
  if (!fits) idle_->open();
  // Every loan ended once, and those that did not are in use: leases and entries in use are the same number.
  const std::uint64_t out_now = shown.borrows - shown.use.count();
  const bool good = states && idle == shown.idle && shown.total == total_ && shown.creating == creating_ &&
                    shown.checking == checking_ && shown.closing == closing_count_ &&
                    out_now == static_cast<std::uint64_t>(shown.in_use) && shown.in_use == lent() - idle;
  if (good) return {};
  return fail(
      Errc::internal,
      fmt::format("the books of the pool of {}s are wrong: {} listed, {} idle, {} in use, {} loans out, {} there, "
                  "{} counted, {} being made ({}), {} checked ({}), {} being closed ({})",
                  options_.name, idle, shown.idle, shown.in_use, out_now, total_, shown.total, creating_,
                  shown.creating, checking_, shown.checking, closing_count_, shown.closing));
}

void EngineEnd::operator()(Engine* engine) const noexcept {
  if (!engine->is_of_another_process()) std::default_delete<Engine>()(engine);
}

Engine::~Engine() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    closed_ = true;
    idle_->close();
    while (!queue_.empty()) end_wait(*queue_.first(), Waiter::End::refused);
    stop_creating_.request_stop();
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  for (std::jthread& worker : workers_)
    if (worker.joinable()) worker.join();
  for (std::uint32_t number = 1; number <= slots_->size(); ++number) {
    Slot& slot = (*slots_)[number];
    SERIN_ASSERT(slot.state.load() != Slot::State::lent);  // a lease outlives its pool
    if (slot.resource != nullptr) hooks_.destroy(slot.resource);
  }
}

}  // namespace serin::pool
