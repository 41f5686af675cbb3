#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "serin/base/error.hpp"
#include "serin/checks/check.hpp"
#include "serin/google_data/data_services.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

namespace serin::tool {

/// Real time, and after Ctrl-C a time at which every deadline has passed: a statement that runs is stopped then, in
/// this process and on a server. Threads: any.
class StoppableClock final : public Sleeper {
 public:
  explicit StoppableClock(Sleeper& sleeper) : sleeper_(sleeper) {}
  [[nodiscard]] Instant now() const override {
    const Instant now = sleeper_.now();
    // SQLite asks some ten thousand times a second; whether somebody pressed Ctrl-C is worth a look every 20 ms.
    if (!stopped_ && now.time_since_epoch() >= next_look_.load()) {
      next_look_ = now.time_since_epoch() + 20ms;
      if (!sleeper_.sleep_until(now)) stopped_ = true;
    }
    return stopped_ ? now + std::chrono::years(10) : now;
  }
  [[nodiscard]] WallTime wall() const override { return sleeper_.wall(); }
  Status sleep_until(Instant until) override {
    Status slept = sleeper_.sleep_until(until);
    if (!slept) stopped_ = true;
    return slept;
  }
  Result<bool> wait(Event& event, Instant until) override {
    Result<bool> waited = sleeper_.wait(event, until);
    if (!waited) stopped_ = true;  // before anybody acts on it: what he does then has a deadline of that later time
    return waited;
  }
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  Sleeper& sleeper_;
  mutable std::atomic<Duration> next_look_ = Duration::min();
  mutable std::atomic<bool> stopped_ = false;
};

/// What stands before the first colon: all of an address that may be repeated, because the rest can hold a password.
[[nodiscard]] inline std::string_view scheme_of(std::string_view url) { return url.substr(0, url.find(':')); }
/// Errors: invalid_argument, with what can be written.
Result<checks::Engine> engine_of(std::string_view url);
/// A database, and what it is reached through where that is no file and no socket of its own.
struct OpenDatabase {
  std::unique_ptr<Random> random;
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<google::DataServices> google;
  std::unique_ptr<Sql> sql;
  std::jthread watcher;  // of Ctrl-C
};
/// A database that is only read, whatever is asked of it. \param clock  outlives it. Errors: its own.
Result<OpenDatabase> open_database(const std::string& url, checks::Engine engine, Sleeper& clock);

}  // namespace serin::tool
