#include "serin/async/coroutine_check.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <memory>
#include <utility>

namespace serin::async {
namespace asio = boost::asio;
namespace {

health::CheckAnswer answer_of(const std::exception_ptr& thrown, health::CheckAnswer answer) {
  if (!thrown) return answer;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return health::CheckAnswer::fail("exception", error.what());
  } catch (...) {
    return health::CheckAnswer::fail("exception", "it threw something that is no std::exception");
  }
}

}  // namespace

health::AsyncCheckFunction coroutine_check(
    asio::any_io_executor executor, std::function<asio::awaitable<health::CheckAnswer>(health::CheckContext)> ask) {
  // Shared: a run may still go on after the check was removed.
  const auto shared = std::make_shared<decltype(ask)>(std::move(ask));
  return [executor, shared](const health::CheckContext& context, std::function<void(health::CheckAnswer)> done) {
    asio::co_spawn(executor, (*shared)(context),
                   [shared, done = std::move(done)](const std::exception_ptr& thrown, health::CheckAnswer answer) {
                     done(answer_of(thrown, std::move(answer)));
                   });
  };
}

}  // namespace serin::async
