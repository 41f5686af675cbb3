#include "serin/pool/slot.hpp"

#include <sys/mman.h>

#include <new>

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
  auto* const head = std::construct_at(static_cast<std::atomic<Word>*>(memory), home);
  return std::unique_ptr<IdleList>(new IdleList(slots, head));
}

IdleList::~IdleList() { munmap(head_, page); }

Slot* IdleList::try_pop() noexcept {
  Word head = load();
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
  Word head = head_->load(std::memory_order_relaxed);
  while ((head & open_bit) != 0) {
    slot.next.store(static_cast<std::uint32_t>(head & number_mask), std::memory_order_relaxed);
    if (head_->compare_exchange_weak(head, with(head, slot.number), std::memory_order_acq_rel,
                                     std::memory_order_relaxed))
      return true;
  }
  return false;
}

void IdleList::close() noexcept {
  if ((load() & open_bit) != 0) head_->fetch_and(~open_bit, std::memory_order_acq_rel);
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
