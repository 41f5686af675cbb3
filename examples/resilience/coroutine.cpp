// The same elements around a coroutine: waiting takes no thread.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "serin/async/async_run.hpp"
#include "world.hpp"

using namespace example;
namespace asio = boost::asio;

namespace {

asio::awaitable<Result<std::string_view>> ask(Peer& peer) { co_return peer.ping(); }

/// \param world, peer  outlive it
asio::awaitable<std::string> call(World& world, Peer& peer) {
  // snippet
  const auto policy = retry::Retry::make({.max_attempts = 4, .backoff = {.first = 5ms, .most = 50ms}}).value();
  retry::TokenBudget budget;
  const auto guarded = guard::pipeline(guard::TotalDeadline{1s}, guard::Retrying{policy, budget});
  async::TimerSleeper sleeper(world.sleeper);
  const async::AsyncContext context{.sleeper = sleeper,
                                    .random = world.random,
                                    .deadline = Deadline::never(),
                                    .idempotency = Idempotency::idempotent};
  const auto work = [&peer](const async::AsyncContext&) { return ask(peer); };
  const Result<std::string_view> answer = co_await async::async_run(guarded, context, work);
  // snippet
  co_return fmt::format("{} after {} attempts, without a thread that waits", said(answer), peer.calls);
}

}  // namespace

int main() {
  World world;
  Peer peer{.failures = 2};
  asio::io_context io;
  asio::co_spawn(io, call(world, peer), [](const std::exception_ptr&, const std::string& text) { say(text); });
  io.run();
}
