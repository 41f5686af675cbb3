// A session and a coroutine: many requests, no thread that waits.
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "serin/async/called_back.hpp"
#include "serin/beast/http_server.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"

using namespace serin;
namespace asio = boost::asio;

namespace {

struct Shop final : HttpHandler {
  bool is_immediate(const HttpRequest&) const noexcept override { return true; }
  HttpResponse handle(const HttpRequest& request) override { return HttpResponse::text(200, request.target); }
};

// snippet
asio::awaitable<Result<http::Answer>> send(http::Session& session, http::Request request) {
  std::stop_source stop;  // requested when the coroutine is cancelled
  request.stop = stop.get_token();
  const auto begin = [&session, request = std::move(request)](std::function<void(Result<http::Answer>)> done) mutable {
    session.send_async(std::move(request), std::move(done));
  };
  return async::called_back<Result<http::Answer>>(begin, stop);
}
// snippet

asio::awaitable<void> ask(http::Session& session, std::string origin, int& good) {
  for (int i = 0; i < 10; ++i) {
    http::Request request{.origin = origin, .message = {.target = "/orders"}};
    const Result<http::Answer> answer = co_await send(session, std::move(request));
    if (answer && answer->response.body == "/orders") ++good;
  }
}

}  // namespace

int main() {
  const SystemClock clock;
  Shop shop;
  const auto server = HttpServer::start({}, shop, clock);
  if (!server) return 1;
  const std::string origin = fmt::format("http://127.0.0.1:{}", (*server)->port());
  http::Session session(clock);
  asio::io_context io;
  int good = 0;
  for (int i = 0; i < 20; ++i) asio::co_spawn(io, ask(session, origin, good), [](const std::exception_ptr&) {});
  io.run();
  fmt::print("{} of 200 requests of 20 coroutines on one thread\n", good);
  return good == 200 ? 0 : 1;
}
