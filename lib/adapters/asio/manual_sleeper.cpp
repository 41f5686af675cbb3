#include "serin/async/manual_sleeper.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

namespace serin::async {

asio::awaitable<Result<bool>> ManualSleeper::wait(AsyncEvent& event, Instant until) {
  if (event.is_set()) co_return true;
  if (now_ >= until) co_return false;
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, asio::steady_timer::time_point::max());
  struct Entry {
    explicit Entry(std::multimap<Instant, asio::steady_timer*>& all, Instant until, asio::steady_timer& timer)
        : map(all), place(all.emplace(until, &timer)) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { map.erase(place); }
    std::multimap<Instant, asio::steady_timer*>& map;
    std::multimap<Instant, asio::steady_timer*>::iterator place;
  };
  const Entry entry(waiting_, until, timer);
  co_await event.park(timer);
  if (event.is_set()) co_return true;
  if (now_ >= until) co_return false;
  co_return fail(Errc::cancelled, "the caller gave up");
}

void ManualSleeper::run(asio::io_context& io, Instant until) {
  for (;;) {
    io.restart();
    io.poll();
    if (waiting_.empty() || waiting_.begin()->first > until || waiting_.begin()->first == Instant::max()) break;
    now_ = std::max(now_, waiting_.begin()->first);
    // All that are due; each leaves the map when it runs.
    for (const auto& [when, timer] : waiting_) {
      if (when > now_) break;
      timer->cancel();
    }
  }
  if (until != Instant::max()) now_ = std::max(now_, until);
}

}  // namespace serin::async
