#pragma once
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <stop_token>
#include <utility>

#include "serin/async/async_context.hpp"

namespace serin::async {

/// Waits, without a thread, for somebody who calls back, such as http::Session::send_async. The coroutine goes on where
/// it was, whichever thread called. Cancelled, it requests `stop` and still waits for the call, which is to come soon
/// then.
/// \tparam T     what is called back with; moved
/// \tparam Start called with a std::function<void(T)> that is to be called once, on any thread, also at once
/// \param  stop  of what is started; without one it cannot be hurried
template <class T, class Start>
[[nodiscard]] asio::awaitable<T> called_back(Start start, std::stop_source stop = std::stop_source(std::nostopstate)) {
  // No coroutine of its own: g++ 12 frees what is captured in a co_await expression twice.
  return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
      [](auto handler, Start begin, std::stop_source give_up) {
        const auto executor = asio::get_associated_executor(handler);
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected())
          slot.assign([give_up](asio::cancellation_type) mutable { static_cast<void>(give_up.request_stop()); });
        auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
        begin(std::function<void(T)>([waiting, slot, work = asio::make_work_guard(executor)](T value) {
          asio::post(work.get_executor(), [waiting, slot, value = std::move(value)]() mutable {
            slot.clear();
            std::move (*waiting)(std::move(value));
          });
        }));
      },
      asio::use_awaitable, std::move(start), std::move(stop));
}

}  // namespace serin::async
