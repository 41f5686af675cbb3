#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>

#include "clients.hpp"

// The least one can do with Boost: a socket with a concrete executor, bytes that were written beforehand, a parser.
// No timeouts, no pool, no second chance: what those cost is what is measured.
namespace serin::bench_http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

struct Loop {
  Loop(asio::io_context& io, Stopwatch& given, const std::string& bytes) : socket(io), watch(given), request(bytes) {}
  void next() {
    if (!watch.take()) {
      boost::system::error_code ignored;
      socket.close(ignored);
      return;
    }
    began = watch.now();
    asio::async_write(socket, asio::buffer(request), [this](boost::system::error_code error, std::size_t) {
      if (error) return watch.done(began, false);
      parser.emplace();
      beast::http::async_read(socket, buffer, *parser, [this](boost::system::error_code failed, std::size_t) {
        // Taken out, as a caller would.
        const auto message = parser->release();
        watch.done(began, !failed && message.body().size() == body_size);
        if (!failed) next();
      });
    });
  }
  Socket socket;
  Stopwatch& watch;
  const std::string& request;
  beast::flat_buffer buffer;
  std::optional<beast::http::response_parser<beast::http::string_body>> parser;
  Instant began{};
};

}  // namespace

Took beast_by_hand(const Load& load) {
  asio::io_context io(1);
  Stopwatch watch(load);
  const std::string bytes = "GET / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(load.port) + "\r\n\r\n";
  std::vector<std::unique_ptr<Loop>> loops;
  for (int i = 0; i < load.concurrency; ++i) {
    loops.push_back(std::make_unique<Loop>(io, watch, bytes));
    loops.back()->socket.connect({asio::ip::address_v4::loopback(), load.port});
    loops.back()->socket.set_option(asio::ip::tcp::no_delay(true));
    loops.back()->next();
  }
  io.run();
  return watch.finish();
}

}  // namespace serin::bench_http
