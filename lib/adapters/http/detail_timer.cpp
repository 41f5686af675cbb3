#include "detail_timer.hpp"

#include <algorithm>

namespace serin::http {

void Timer::at(Instant when) {
  const bool earlier = when < when_;
  when_ = when;
  if (index_ == none) {
    timers_.heap_.push_back(this);
    index_ = timers_.heap_.size() - 1;
    timers_.up(index_);
  } else if (earlier) {
    timers_.up(index_);
  } else {
    timers_.down(index_);
  }
}

void Timer::stop() {
  if (index_ != none) timers_.remove(index_);
}

void Timers::run(Instant now) {
  // As many as were there at most: one that starts itself again for now must not keep the loop from its sockets.
  for (std::size_t left = heap_.size(); left != 0 && !heap_.empty() && heap_.front()->when_ <= now; --left) {
    Timer* timer = heap_.front();
    remove(0);
    timer->action_();
  }
}

void Timers::place(std::size_t index, Timer* timer) {
  heap_[index] = timer;
  timer->index_ = index;
}

void Timers::up(std::size_t index) {
  Timer* timer = heap_[index];
  while (index != 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->when_ <= timer->when_) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void Timers::down(std::size_t index) {
  Timer* timer = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->when_ < heap_[child]->when_) ++child;
    if (timer->when_ <= heap_[child]->when_) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, timer);
}

void Timers::remove(std::size_t index) {
  heap_[index]->index_ = Timer::none;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  place(index, last);
  up(index);
  down(last->index_);
}

}  // namespace serin::http
