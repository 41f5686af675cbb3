#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>

#include "serin/base/time.hpp"
#include "serin/pool/stats.hpp"

namespace serin::pool {

/// An Instant that one writes and anybody reads.
class SharedInstant {
 public:
  [[nodiscard]] Instant get() const noexcept { return Instant(Duration(value_.load(std::memory_order_relaxed))); }
  void set(Instant at) noexcept { value_.store(at.time_since_epoch().count(), std::memory_order_relaxed); }

 private:
  std::atomic<Duration::rep> value_ = 0;
};

/// One thing of a pool, or room for one. Its owner is whoever took it off the idle list; there is one at a time, and
/// the idle list's head orders what one owner wrote before what the next one reads. What others look at meanwhile
/// (counts, leaks) is atomic. Slots are never freed before the pool, and their counters go on when the thing in it
/// changes.
struct alignas(64) Slot {
  enum class State : std::uint8_t { free, creating, idle, lent, checking, closing };

  // One cache line: all that borrowing and returning touch.
  std::atomic<std::uint32_t> next = 0;  // number of the slot below on the idle list; 0: none
  std::uint32_t number = 0;             // its own, from 1
  std::atomic<State> state = State::free;
  std::atomic<bool> poisoned = false;
  std::atomic<int> thread = 0;                 // on which it was taken, as the kernel numbers them
  std::atomic<std::source_location> caller{};  // who has it
  SharedInstant lent_at;
  SharedInstant last_used;
  SharedInstant fresh_until;                // lent without a question until then
  SharedInstant retire_at;                  // not lent from then on
  std::atomic<std::uint64_t> loans = 0;     // also the number of the loan that runs
  std::atomic<std::uint64_t> reported = 0;  // the loan that was reported as leaked; 0: none

  Tally use;
  void* resource = nullptr;
  Duration idle_limit{};      // unused for so long: not needed
  Duration keepalive{};       // unused and not asked for so long: asked
  SharedInstant verified_at;  // last known to live; guarded by the pool's lock but for its owner
  std::string poison;         // its owner's
};

/// Slots by number, from 1. Grows under the pool's lock, read by anybody, never shrinks.
class Slots {
 public:
  static constexpr std::uint32_t chunk = 64;
  static constexpr std::uint32_t most = 4096;
  [[nodiscard]] Slot& operator[](std::uint32_t number) const noexcept {
    return chunks_[(number - 1) / chunk].load(std::memory_order_acquire)[(number - 1) % chunk];
  }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_.load(std::memory_order_acquire); }
  /// One more; there are fewer than `most`.
  Slot& grow() {
    const std::uint32_t at = size_.load(std::memory_order_relaxed);
    if (at % chunk == 0) {
      owned_[at / chunk] = std::make_unique<Slot[]>(chunk);
      chunks_[at / chunk].store(owned_[at / chunk].get(), std::memory_order_release);
    }
    Slot& slot = owned_[at / chunk][at % chunk];
    slot.number = at + 1;
    size_.store(at + 1, std::memory_order_release);
    return slot;
  }

 private:
  std::array<std::atomic<Slot*>, most / chunk> chunks_{};
  std::array<std::unique_ptr<Slot[]>, most / chunk> owned_;
  std::atomic<std::uint32_t> size_ = 0;
};

/// The idle list: a stack in one word, so that what came back last is lent first. The word also says whether it may be
/// used without the pool's lock, in the same compare-and-swap that takes or gives: whoever holds the lock and has
/// closed it is alone with the list. A counter in the word keeps a stale head from matching again (it would have to be
/// changed 2^42 times while a thread stands between two instructions).
///
/// One word that all write is what threads meet at. Once two have met there, what a thread returns stays with that
/// thread (in a cell that it may share with others), until the list is closed for the next time: a sweep, a borrower
/// that finds neither in its cell nor in the list. Then all are in the list again, by the time of their last use.
///
/// The word lies in memory that a forked child finds empty: the child owns none of the parent's connections, and sees
/// that without a system call.
class IdleList {
 public:
  /// Null when the kernel does not offer that (before 4.14).
  static std::unique_ptr<IdleList> make(const Slots& slots);
  ~IdleList();
  IdleList(const IdleList&) = delete;
  IdleList& operator=(const IdleList&) = delete;

  [[nodiscard]] bool is_of_another_process() const noexcept { return load() == 0; }
  /// As if two threads had met.
  void spread() noexcept { shared_->spread.store(true, std::memory_order_seq_cst); }

  /// Without the lock: null when it is closed, empty or another process's.
  [[nodiscard]] Slot* try_pop() noexcept;
  /// Without the lock. False: closed.
  [[nodiscard]] bool try_push(Slot& slot) noexcept;

  // With the lock.
  void close();
  void open() noexcept;
  // With the lock, and closed.
  [[nodiscard]] bool empty() const noexcept { return (load() & number_mask) == 0; }
  [[nodiscard]] Slot* pop() noexcept;
  void push(Slot& slot) noexcept;
  [[nodiscard]] Slot* top() const noexcept { return at(load() & number_mask); }
  [[nodiscard]] Slot* below(const Slot& slot) const noexcept { return at(slot.next.load(std::memory_order_relaxed)); }
  /// Puts it under all others.
  void append(Slot& slot) noexcept;
  /// Takes it out, wherever it is.
  void remove(Slot& slot) noexcept;

 private:
  using Word = std::uint64_t;
  static constexpr Word home = Word{1} << 63;  // always set here, never in a child
  static constexpr Word open_bit = Word{1} << 62;
  static constexpr Word number_mask = (Word{1} << 20) - 1;
  static constexpr Word tag = Word{1} << 20;
  static constexpr Word tag_mask = ~(home | open_bit | number_mask);
  struct alignas(64) Cell {
    std::atomic<std::uint32_t> number = 0;  // of the slot in it; 0: none
  };
  struct Shared {
    std::atomic<Word> head = home;
    // Whether cells are used. Cells are empty while it is false, but for the moment in which somebody finds that out.
    std::atomic<bool> spread = false;
    std::array<Cell, 16> cells{};
  };
  IdleList(const Slots& slots, Shared* shared) : slots_(slots), shared_(shared), head_(&shared->head) {}
  [[nodiscard]] Word load() const noexcept { return head_->load(std::memory_order_acquire); }
  [[nodiscard]] Cell& mine() const noexcept;
  void collect();
  [[nodiscard]] static Word with(Word head, Word number) noexcept {
    return (head & (home | open_bit)) | ((head + tag) & tag_mask) | number;
  }
  [[nodiscard]] Slot* at(Word number) const noexcept {
    return number == 0 ? nullptr : &slots_[static_cast<std::uint32_t>(number)];
  }
  const Slots& slots_;
  Shared* const shared_;
  std::atomic<Word>* const head_;
};

}  // namespace serin::pool
