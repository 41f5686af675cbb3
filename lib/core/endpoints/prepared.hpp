#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "serin/base/time.hpp"

namespace serin::endpoints {

// Private to the module.

/// The bytes of one answer, replaced from time to time, and read without a lock and without an allocation. Readers
/// announce themselves in the slot they read; a writer uses one that nobody reads and nobody will begin to read. Not
/// std::atomic<std::shared_ptr>: libstdc++ 12 spins in it, and ThreadSanitizer cannot see why it is right.
/// Threads: any.
class PreparedAnswer {
 public:
  using Bytes = std::shared_ptr<const std::string>;

  /// What was written for this version and not before `since`; nothing otherwise.
  [[nodiscard]] Bytes read(std::uint64_t version, Instant since) const noexcept;
  /// Locked by whoever renders: one at a time, the others need not wait.
  [[nodiscard]] std::mutex& writing() noexcept { return writing_; }
  /// Under writing(). Does nothing when every other slot is still being read.
  void write(Bytes bytes, std::uint64_t version, Instant at) noexcept;

 private:
  struct Slot {
    std::atomic<std::uint32_t> readers = 0;
    Bytes bytes;
    std::uint64_t version = 0;
    Instant at{};
  };
  static constexpr unsigned empty = 4;
  mutable std::array<Slot, 4> slots_;
  std::atomic<unsigned> current_ = empty;  // all orders are sequential: a reader says "I read", then looks again
  std::mutex writing_;
};

}  // namespace serin::endpoints
