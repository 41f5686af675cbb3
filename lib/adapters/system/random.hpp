#pragma once
#include <mutex>

#include "serin/ports/random.hpp"

namespace serin {

/// Fast random bits, seeded from the kernel. For jitter and names, not for secrets. Threads: any.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  std::uint64_t next() override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;  // guarded by mutex_
};

}  // namespace serin
