#include "prepared.hpp"

#include <utility>

namespace serin::endpoints {

PreparedAnswer::Bytes PreparedAnswer::read(std::uint64_t version, Instant since) const noexcept {
  unsigned index = current_.load();
  // Another turn only when somebody wrote in between; after a few of them the usual way is as good.
  for (int turns = 0; turns < 4 && index != empty; ++turns) {
    Slot& slot = slots_[index];
    slot.readers.fetch_add(1);
    const unsigned now = current_.load();
    if (now == index) {
      // From here to fetch_sub() no writer touches this slot.
      Bytes bytes;
      if (slot.version == version && slot.at >= since) bytes = slot.bytes;
      slot.readers.fetch_sub(1);
      return bytes;
    }
    slot.readers.fetch_sub(1);
    index = now;
  }
  return nullptr;
}

void PreparedAnswer::write(Bytes bytes, std::uint64_t version, Instant at) noexcept {
  const unsigned current = current_.load();
  for (unsigned index = 0; index < slots_.size(); ++index) {
    Slot& slot = slots_[index];
    // Who announces itself after this load sees that the slot is not the current one, and leaves it alone.
    if (index == current || slot.readers.load() != 0) continue;
    slot.bytes = std::move(bytes);
    slot.version = version;
    slot.at = at;
    current_.store(index);
    return;
  }
}

}  // namespace serin::endpoints
