#include "address_limit.hpp"

#include <algorithm>

namespace serin::fleet {

std::optional<Duration> AddressLimit::take(const std::string& address, Instant now) {
  const double rate = options_.requests / seconds_of(options_.period);
  const std::scoped_lock lock(mutex_);
  if (buckets_.size() >= options_.most_addresses && !buckets_.contains(address)) {
    // A bucket that had a whole period to fill is full: forgetting it changes nothing.
    std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.at >= options_.period; });
    if (buckets_.size() >= options_.most_addresses) {
      const auto oldest = std::ranges::min_element(buckets_, {}, [](const auto& entry) { return entry.second.at; });
      buckets_.erase(oldest);
    }
  }
  Bucket& bucket = buckets_.try_emplace(address, Bucket{.left = options_.requests, .at = now}).first->second;
  bucket.left = std::min(options_.requests, bucket.left + rate * seconds_of(now - bucket.at));
  bucket.at = now;
  if (bucket.left < 1) return duration_of_seconds((1 - bucket.left) / rate);
  bucket.left -= 1;
  return std::nullopt;
}

}  // namespace serin::fleet
