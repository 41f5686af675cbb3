// You have your own Beast loop: how a handler of ours answers in it. Try it:
//   build/release/bin/beast_host 8080 &
//   curl localhost:8080/health; curl localhost:8080/hello; kill %1
#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <thread>
#include <vector>

#include "serin/base/text.hpp"
#include "serin/wire/wire.hpp"

using namespace serin;
namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

/// Any HttpHandler; a Service is one.
struct Handler final : HttpHandler {
  bool is_immediate(const HttpRequest&) const noexcept override { return true; }
  HttpResponse handle(const HttpRequest& request) override {
    if (request.path() == "/health") return HttpResponse::json(200, R"({"status":"up"})");
    return HttpResponse::text(200, "hello from " + request.target + "\n");
  }
  std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept override {
    return head.is_plain && head.target == "/health" ? health : nullptr;
  }
  const std::shared_ptr<const std::string> health = std::make_shared<const std::string>(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"up\"}");
};

std::string_view view(boost::core::string_view text) { return {text.data(), text.size()}; }

/// The ten lines: a request of Beast's in, the bytes of the answer out.
std::string answer(HttpHandler& handler, const http::request<http::string_body>& from) {
  HttpHead head{.method = view(from.method_string()), .target = view(from.target())};
  head.is_plain = wire::can_be_plain(head.method) && from.body().empty() && from.keep_alive();
  for (const auto& field : from)
    head.is_plain = head.is_plain && wire::leaves_plain(view(field.name_string()), view(field.value()));
  if (head.is_plain)
    if (const auto bytes = handler.prepared(head)) return std::string(wire::answer_to(head.method, *bytes));
  HttpRequest request{.method = std::string(head.method), .target = std::string(head.target), .body = from.body()};
  for (const auto& field : from) request.headers.add(view(field.name_string()), view(field.value()));
  std::string out;
  wire::append_answer(out, wire::ask(handler, request),
                      {.keep_alive = from.keep_alive(), .head_only = from.method() == http::verb::head});
  return out;
}

/// Your loop, as it was.
void converse(asio::ip::tcp::socket socket, HttpHandler& handler) {
  boost::beast::flat_buffer buffer;
  boost::system::error_code error;
  for (;;) {
    http::request<http::string_body> request;
    http::read(socket, buffer, request, error);
    if (error) return;
    asio::write(socket, asio::buffer(answer(handler, request)), error);
    if (error || !request.keep_alive()) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto port = argc == 2 ? to_int(argv[1]) : std::nullopt;
  if (!port || *port < 0 || *port > 65535) return fmt::print(stderr, "usage: beast_host PORT\n"), 2;
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(*port)});
  fmt::print("port {}\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  Handler handler;
  std::vector<std::jthread> threads;
  for (;;)
    threads.emplace_back([&handler](asio::ip::tcp::socket socket) { converse(std::move(socket), handler); },
                         acceptor.accept());
}
