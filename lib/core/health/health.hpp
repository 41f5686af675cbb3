#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serin/health/report.hpp"
#include "serin/ports/clock.hpp"

namespace serin::health {

class Waker;

/// Runs checks beside the requests and answers from what they said last, so that an answer takes microseconds whatever
/// a check does, a check that hangs delays nobody and is not started again, and a thousand probes cost a dependency one
/// call a period. Threads: any.
class Health {
 public:
  /// \param clock  outlives it
  Health(std::string service, const Clock& clock);
  /// Waits for the checks that run right now.
  ~Health();
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;
  /// Starts to run it, at once. Names are unique: a second one of the same name is a bug and aborts.
  void add(CheckOptions options, CheckFunction check);
  enum class Which : std::uint8_t { critical, all };
  [[nodiscard]] HealthReport report(Which which) const;

 private:
  struct Check;
  void run(Check& check, const std::stop_token& stop) const;

  std::string service_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // guards the list and each check's state
  std::vector<std::unique_ptr<Check>> checks_;
};

}  // namespace serin::health
