#include "serin/pool/slot.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <vector>

namespace serin::pool {
namespace {
constexpr std::size_t page = 4096;
}

std::unique_ptr<IdleList> IdleList::make(const Slots& slots) {
  void* const memory = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  if (madvise(memory, page, MADV_WIPEONFORK) != 0) {
    munmap(memory, page);
    return nullptr;
  }
  static_assert(sizeof(Shared) <= page);
  return std::unique_ptr<IdleList>(new IdleList(slots, std::construct_at(static_cast<Shared*>(memory))));
}

IdleList::~IdleList() { munmap(shared_, page); }

IdleList::Cell& IdleList::mine() const noexcept {
  // Threads' numbers are addresses: their upper bits, mixed (Fibonacci hashing), name the cell.
  const auto number = static_cast<std::uint64_t>(pthread_self()) * 0x9E3779B97F4A7C15ULL;
  return shared_->cells[number >> 60];
}

Slot* IdleList::try_pop() noexcept {
  Word head = load();
  if ((head & open_bit) != 0 && shared_->spread.load(std::memory_order_relaxed)) {
    Cell& cell = mine();
    if (cell.number.load(std::memory_order_relaxed) != 0)
      if (const std::uint32_t number = cell.number.exchange(0, std::memory_order_seq_cst); number != 0)
        return &slots_[number];
  }
  for (;;) {
    if ((head & open_bit) == 0 || (head & number_mask) == 0) return nullptr;
    Slot& slot = slots_[static_cast<std::uint32_t>(head & number_mask)];
    // Somebody may take and give it back while we look: then the tag has changed, and `next` is not used.
    const Word next = slot.next.load(std::memory_order_relaxed);
    if (head_->compare_exchange_weak(head, with(head, next), std::memory_order_acq_rel, std::memory_order_acquire))
      return &slot;
  }
}

bool IdleList::try_push(Slot& slot) noexcept {
  if (shared_->spread.load(std::memory_order_relaxed)) {
    Cell& cell = mine();
    std::uint32_t none = 0;
    if ((load() & open_bit) != 0 && cell.number.compare_exchange_strong(none, slot.number, std::memory_order_seq_cst)) {
      // Whoever closes the list closes it first and looks into the cells then; we do it the other way round. So one of
      // us sees the other (Dekker), and nothing is left where nobody looks.
      if ((head_->load(std::memory_order_seq_cst) & open_bit) != 0 && shared_->spread.load(std::memory_order_seq_cst))
        return true;
      std::uint32_t own = slot.number;
      if (!cell.number.compare_exchange_strong(own, 0, std::memory_order_seq_cst)) return true;  // somebody has it
    }
  }
  Word head = head_->load(std::memory_order_relaxed);
  for (bool met = false; (head & open_bit) != 0; met = true) {
    if (met && !shared_->spread.load(std::memory_order_relaxed)) spread();
    slot.next.store(static_cast<std::uint32_t>(head & number_mask), std::memory_order_relaxed);
    if (head_->compare_exchange_weak(head, with(head, slot.number), std::memory_order_acq_rel,
                                     std::memory_order_relaxed))
      return true;
  }
  return false;
}

void IdleList::close() {
  if ((load() & open_bit) == 0) return;
  head_->fetch_and(~open_bit, std::memory_order_seq_cst);
  if (shared_->spread.exchange(false, std::memory_order_seq_cst)) collect();
}

void IdleList::collect() {
  std::vector<Slot*> found;
  for (Cell& cell : shared_->cells)
    if (const std::uint32_t number = cell.number.exchange(0, std::memory_order_seq_cst); number != 0)
      found.push_back(&slots_[number]);
  if (found.empty()) return;
  while (Slot* const slot = pop()) found.push_back(slot);
  std::ranges::sort(found, [](const Slot* a, const Slot* b) { return a->last_used.get() < b->last_used.get(); });
  for (Slot* const slot : found) push(*slot);
}

void IdleList::open() noexcept {
  if ((load() & open_bit) == 0) head_->fetch_or(open_bit, std::memory_order_acq_rel);
}

Slot* IdleList::pop() noexcept {
  Slot* const slot = top();
  if (slot != nullptr)
    head_->store(with(load(), slot->next.load(std::memory_order_relaxed)), std::memory_order_release);
  return slot;
}

void IdleList::push(Slot& slot) noexcept {
  const Word head = load();
  slot.next.store(static_cast<std::uint32_t>(head & number_mask), std::memory_order_relaxed);
  head_->store(with(head, slot.number), std::memory_order_release);
}

void IdleList::append(Slot& slot) noexcept {
  Slot* last = top();
  if (last == nullptr) return push(slot);
  while (Slot* const lower = below(*last)) last = lower;
  slot.next.store(0, std::memory_order_relaxed);
  last->next.store(slot.number, std::memory_order_relaxed);
  head_->store(with(load(), load() & number_mask), std::memory_order_release);
}

void IdleList::remove(Slot& slot) noexcept {
  Slot* above = nullptr;
  for (Slot* each = top(); each != &slot; each = below(*each)) above = each;
  const std::uint32_t next = slot.next.load(std::memory_order_relaxed);
  if (above == nullptr) {
    head_->store(with(load(), next), std::memory_order_release);
  } else {
    above->next.store(next, std::memory_order_relaxed);
    head_->store(with(load(), load() & number_mask), std::memory_order_release);
  }
}

}  // namespace serin::pool
