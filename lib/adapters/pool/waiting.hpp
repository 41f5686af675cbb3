#pragma once
#include <atomic>
#include <cstdint>
#include <source_location>

#include "serin/base/time.hpp"

namespace serin::pool {

struct Slot;

/// Where one thread waits for one thing to be done. A futex and not a condition variable, because whoever ends the wait
/// must not touch anything of the waiter any more once it is told: the waiter's stack may be gone by then. A wake-up at
/// an address that is used for something else by now is one wake-up too many there, which every futex expects.
class Parker {
 public:
  [[nodiscard]] bool is_done() const noexcept { return word_.load(std::memory_order_acquire) == done; }
  /// Returns at the latest after about `most`; whether it is done.
  bool park_for(Duration most) noexcept;
  /// What was written before is seen by the waiter. Returns the address to wake(), null when nobody sleeps there.
  [[nodiscard]] void* finish() noexcept {
    return word_.exchange(done, std::memory_order_acq_rel) == parked ? static_cast<void*>(&word_) : nullptr;
  }
  static void wake(void* address) noexcept;

 private:
  static constexpr std::uint32_t open = 0, parked = 1, done = 2;
  std::atomic<std::uint32_t> word_ = open;
};

/// A borrower in the queue. Lives where its borrower is, and stays there until it is out of the queue.
struct Waiter {
  enum class End : std::uint8_t { none, granted, timed_out, cancelled, refused, failed };
  Instant since{};
  Deadline until = Deadline::never();
  std::source_location caller{};
  // Guarded by the pool's lock until the parker is done.
  End end = End::none;
  Slot* slot = nullptr;
  Waiter* before = nullptr;
  Waiter* after = nullptr;
  bool queued = false;
  bool joined_first = false;  // nobody stood before it
  Parker parker;
};

/// First in, first out, and out of the middle for those who give up. Guarded by the pool's lock.
class Queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] int size() const noexcept { return size_; }
  [[nodiscard]] Waiter* first() const noexcept { return first_; }
  void push_back(Waiter& waiter) noexcept;
  /// For who had its turn already and was given something dead.
  void push_front(Waiter& waiter) noexcept;
  void remove(Waiter& waiter) noexcept;

 private:
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  int size_ = 0;
};

}  // namespace serin::pool
