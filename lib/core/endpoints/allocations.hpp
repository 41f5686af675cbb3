#pragma once
#include <atomic>
#include <cstdint>

namespace serin::endpoints {

/// Allocations of this program since it began; stays 0 where nobody counts.
inline std::atomic<std::int64_t> allocations = 0;

}  // namespace serin::endpoints
