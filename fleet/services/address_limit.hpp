#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "serin/base/time.hpp"

namespace serin::fleet {

struct AddressLimitOptions {
  double requests = 100;                ///< a period and address; > 0
  Duration period = 1min;               ///< > 0
  std::size_t most_addresses = 10'000;  ///< that are remembered; when more come, the longest quiet are forgotten
};

/// So many requests a minute for each address: a bucket that fills evenly, full at first. Threads: any.
class AddressLimit {
 public:
  explicit AddressLimit(AddressLimitOptions options = {}) : options_(options) {}
  /// Nothing: go on. Otherwise how long to wait until the next one is allowed.
  std::optional<Duration> take(const std::string& address, Instant now);

 private:
  struct Bucket {
    double left = 0;
    Instant at;
  };
  AddressLimitOptions options_;
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;  // guarded by mutex_
};

}  // namespace serin::fleet
