#include "serin/sim/crew.hpp"

#include <algorithm>

#include "serin/base/error.hpp"

namespace serin::sim {

Crew::~Crew() {
  {
    std::unique_lock lock(mutex_);
    SERIN_ASSERT(running_ == 0);
  }
  threads_.clear();
}

Instant Crew::now() const {
  const std::scoped_lock lock(mutex_);
  return now_;
}

std::size_t Crew::running() const {
  const std::scoped_lock lock(mutex_);
  return running_;
}

void Crew::pass_on() {
  if (waiting_.empty()) return;
  // Whose event is set waits for nothing any more; otherwise the earliest time.
  auto next = std::ranges::find_if(waiting_, [](const Turn* turn) { return turn->event && turn->event->is_set(); });
  if (next == waiting_.end()) {
    next = std::ranges::min_element(waiting_, {}, [](const Turn* turn) { return turn->until; });
    now_ = std::max(now_, (*next)->until);
  }
  (*next)->mine = true;
  waiting_.erase(next);
  passed_.notify_all();
}

void Crew::wait_for_turn(Turn& turn, std::unique_lock<std::mutex>& lock) {
  waiting_.push_back(&turn);
  pass_on();
  passed_.wait(lock, [&] { return turn.mine; });
}

Result<bool> Crew::wait(Event& event, Instant until) {
  std::unique_lock lock(mutex_);
  Turn turn{.until = until, .event = &event};
  wait_for_turn(turn, lock);
  return event.is_set();
}

Status Crew::sleep_until(Instant until) {
  Event never;
  SERIN_CHECK(wait(never, until));
  return {};
}

void Crew::join(Event& ended) { SERIN_ASSERT(wait(ended, Instant::max()).value_or(false)); }

bool Crew::start(std::function<void()> work) {
  std::unique_lock lock(mutex_);
  if (running_ >= most_) return false;
  ++running_;
  auto turn = std::make_unique<Turn>(Turn{.until = now_});
  waiting_.push_back(turn.get());
  threads_.emplace_back([this, turn = std::move(turn), work = std::move(work)] {
    {
      std::unique_lock waiting(mutex_);
      passed_.wait(waiting, [&] { return turn->mine; });
    }
    work();
    const std::scoped_lock ending(mutex_);
    --running_;
    pass_on();
  });
  return true;
}

}  // namespace serin::sim
