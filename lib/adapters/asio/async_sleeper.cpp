#include "serin/async/async_sleeper.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace serin::async {

asio::awaitable<void> AsyncEvent::park(asio::steady_timer& timer) {
  // Also when the coroutine is destroyed in its sleep, the event must not keep a timer that is gone.
  struct Parked {
    explicit Parked(asio::steady_timer*& where, asio::steady_timer& what) : place(where) { place = &what; }
    Parked(const Parked&) = delete;
    Parked& operator=(const Parked&) = delete;
    ~Parked() { place = nullptr; }
    asio::steady_timer*& place;
  };
  const Parked parked(parked_, timer);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<Status> AsyncSleeper::sleep_until(Instant until) {
  AsyncEvent never;
  const Result<bool> woken = co_await wait(never, until);
  if (!woken) co_return pass(woken.error());
  co_return Status{};
}

asio::awaitable<Result<bool>> TimerSleeper::wait(AsyncEvent& event, Instant until) {
  if (event.is_set()) co_return true;
  if (clock_.now() >= until) co_return false;
  const auto executor = co_await asio::this_coro::executor;
  const auto when = std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(until.time_since_epoch()));
  asio::steady_timer timer(executor, when);
  co_await event.park(timer);
  if (event.is_set()) co_return true;
  if (clock_.now() >= until) co_return false;
  co_return fail(Errc::cancelled, "the caller gave up");
}

}  // namespace serin::async
