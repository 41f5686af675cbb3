#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "serin/ports/check.hpp"

namespace serin::async {

/// A health check that is a coroutine, for Health::add_async(): each run is started on `executor` and takes no thread
/// while it waits. What it throws is its failure. It should keep its deadline; the engine does not wait longer for it.
/// \param executor  runs, and outlives the check
/// \param ask       called on the executor, once a run
[[nodiscard]] health::AsyncCheckFunction coroutine_check(
    boost::asio::any_io_executor executor,
    std::function<boost::asio::awaitable<health::CheckAnswer>(health::CheckContext)> ask);

}  // namespace serin::async
