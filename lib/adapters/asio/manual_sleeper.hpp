#pragma once
#include <boost/asio/io_context.hpp>
#include <map>

#include "serin/async/async_sleeper.hpp"

namespace serin::async {

/// Time that moves only when everything waits: for tests, which take no real time and always run the same way.
/// Threads: one.
class ManualSleeper final : public AsyncSleeper {
 public:
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] WallTime wall() const override { return WallTime(now_.time_since_epoch()); }
  asio::awaitable<Result<bool>> wait(AsyncEvent& event, Instant until) override;
  /// Runs `io`, and whenever nothing is left to run moves time on to the next wait that ends, until `until` or until
  /// nothing waits for a time.
  void run(asio::io_context& io, Instant until = Instant::max());

 private:
  Instant now_{std::chrono::hours(1)};
  std::multimap<Instant, asio::steady_timer*> waiting_;
};

}  // namespace serin::async
