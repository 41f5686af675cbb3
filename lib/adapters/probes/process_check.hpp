#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/clock.hpp"
#include "serin/system/environment.hpp"

// This process: what it uses up, whether its loops turn, what it was given.
namespace serin::probes {

struct ProcessOptions {
  std::int64_t max_threads = 1000;    ///< more is degraded; >= 1
  double descriptors_degraded = 0.8;  ///< of the limit; above 0, at most descriptors_down
  double descriptors_down = 0.95;     ///< of the limit; at most 1
};
/// Threads and descriptors of this process. Unknown when /proc cannot be read; the last descriptor gone is down.
/// Errors: invalid_argument.
Result<health::CheckFunction> process_check(ProcessOptions options = {});

/// What a loop tells each time it comes round. Threads: any.
class Heartbeat {
 public:
  void beat(Instant now) noexcept { last_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }
  /// Instant::min() before the first.
  [[nodiscard]] Instant last() const noexcept { return Instant(Duration(last_.load(std::memory_order_relaxed))); }

 private:
  std::atomic<Duration::rep> last_ = Duration::min().count();
};

struct HeartbeatOptions {
  Duration period = 1s;           ///< how often the loop beats; > 0
  Duration degraded_lag = 500ms;  ///< a beat that is later than that; >= 0, at most down_lag
  Duration down_lag = 10s;        ///< at most a day
};
/// Whether a loop still turns: the liveness check of choice, as only a restart helps when it does not. Unknown before
/// the first beat. Errors: invalid_argument. \param clock  outlives the check; the one the loop beats with
Result<health::CheckFunction> heartbeat_check(HeartbeatOptions options, std::shared_ptr<const Heartbeat> heartbeat,
                                              const Clock& clock);

struct EnvironmentOptions {
  std::vector<std::string> names;  ///< 1 to 1000, none empty
};
/// Whether variables are set and not empty. Only names are ever shown. Down when one is missing. It is a check and not
/// a crash, so that all that is missing is seen at once. Errors: invalid_argument.
Result<health::CheckFunction> environment_check(EnvironmentOptions options, Environment environment);

}  // namespace serin::probes
