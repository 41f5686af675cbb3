#pragma once
#include <mutex>

#include "serin/base/time.hpp"

namespace serin::fleet {

struct ConsecutiveBreakerOptions {
  int failures = 5;         ///< in a row, after which it opens; >= 1
  Duration open_for = 10s;  ///< until one call is let through to see; > 0
};

/// Stops calling what fails: open after so many failures in a row, then one probe at a time until one succeeds.
/// It counts in a row and nothing else; a general breaker (rates, slow calls) is another module's job.
/// Threads: any.
class ConsecutiveBreaker {
 public:
  explicit ConsecutiveBreaker(ConsecutiveBreakerOptions options = {}) : options_(options) {}
  /// Whether a call may be made now. A caller told yes reports how it went; a probe that never reports is given up
  /// after `open_for`, so the breaker cannot get stuck.
  [[nodiscard]] bool allow(Instant now);
  void succeeded();
  void failed(Instant now);
  [[nodiscard]] bool is_open(Instant now) const;

 private:
  ConsecutiveBreakerOptions options_;
  mutable std::mutex mutex_;
  int in_a_row_ = 0;                         // guarded by mutex_
  Instant no_call_before_ = Instant::min();  // guarded by mutex_
};

}  // namespace serin::fleet
