#include "serin/pool/waiting.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace serin::pool {

bool Parker::park_for(Duration most) noexcept {
  std::uint32_t seen = open;
  if (!word_.compare_exchange_strong(seen, parked, std::memory_order_acq_rel) && seen == done) return true;
  const auto ns = std::max<Duration::rep>(most.count(), 0);
  const timespec wait{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  // Woken, late, interrupted or changed before it slept: the word says which.
  syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, parked, &wait, nullptr, 0);
  return is_done();
}

void Parker::wake(void* address) noexcept {
  if (address != nullptr) syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void Queue::push_back(Waiter& waiter) noexcept {
  waiter.before = last_;
  waiter.after = nullptr;
  (last_ == nullptr ? first_ : last_->after) = &waiter;
  last_ = &waiter;
  waiter.queued = true;
  ++size_;
}

void Queue::push_front(Waiter& waiter) noexcept {
  waiter.before = nullptr;
  waiter.after = first_;
  (first_ == nullptr ? last_ : first_->before) = &waiter;
  first_ = &waiter;
  waiter.queued = true;
  ++size_;
}

void Queue::remove(Waiter& waiter) noexcept {
  (waiter.before == nullptr ? first_ : waiter.before->after) = waiter.after;
  (waiter.after == nullptr ? last_ : waiter.after->before) = waiter.before;
  waiter.queued = false;
  --size_;
}

}  // namespace serin::pool
