// What one gets from the library's own example: a stream with a timer, a parser and a serializer of strings.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <memory>

#include "serin/wire/wire.hpp"
#include "servers.hpp"

namespace serin::probe {
namespace {
namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, HttpHandler* handler) : stream_(std::move(socket)), handler_(handler) {}

  void read() {
    request_ = {};
    stream_.expires_after(std::chrono::seconds(30));
    beast::http::async_read(stream_, buffer_, request_,
                            [self = shared_from_this()](beast::error_code error, std::size_t) {
                              if (!error) self->handler_ != nullptr ? self->answer() : self->answer_by_hand();
                            });
  }

 private:
  void answer_by_hand() {
    response_ = {beast::http::status::ok, request_.version()};
    for (const auto& [name, value] : fields()) response_.set(name, value);
    response_.keep_alive(request_.keep_alive());
    response_.body() = body;
    response_.prepare_payload();
    beast::http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error && self->request_.keep_alive()) self->read();
    });
  }

  void answer() {
    HttpHead head{.method = view(request_.method_string()), .target = view(request_.target())};
    head.is_plain = wire::can_be_plain(head.method) && request_.body().empty();
    for (const auto& field : request_)
      head.is_plain = head.is_plain && wire::leaves_plain(view(field.name_string()), view(field.value()));
    bytes_ = head.is_plain ? handler_->prepared(head) : nullptr;
    if (!bytes_) {
      HttpRequest request{
          .method = std::string(head.method), .target = std::string(head.target), .body = request_.body()};
      for (const auto& field : request_) request.headers.add(view(field.name_string()), view(field.value()));
      std::string out;
      wire::append_answer(out, wire::ask(*handler_, request),
                          {.keep_alive = request_.keep_alive(), .head_only = head.method == "HEAD"});
      bytes_ = std::make_shared<const std::string>(std::move(out));
    }
    asio::async_write(stream_, asio::buffer(wire::answer_to(head.method, *bytes_)),
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error && self->request_.keep_alive()) self->read();
                      });
  }

  static std::string_view view(boost::core::string_view text) { return {text.data(), text.size()}; }

  beast::tcp_stream stream_;
  HttpHandler* handler_;
  beast::flat_buffer buffer_;
  beast::http::request<beast::http::string_body> request_;
  beast::http::response<beast::http::string_body> response_;
  std::shared_ptr<const std::string> bytes_;
};

void accept(tcp::acceptor& acceptor, HttpHandler* handler) {
  acceptor.async_accept([&acceptor, handler](beast::error_code error, tcp::socket socket) {
    if (!error) {
      socket.set_option(tcp::no_delay(true), error);
      std::make_shared<Session>(std::move(socket), handler)->read();
    }
    accept(acceptor, handler);
  });
}

}  // namespace

void serve_beast(std::uint16_t port, HttpHandler* handler) {
  asio::io_context io(1);
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), port});
  accept(acceptor, handler);
  io.run();
}

void send_and_forget(std::uint16_t port, std::string_view target, int times) {
  static asio::io_context io;
  static std::vector<tcp::socket> kept;
  const std::string request = "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  for (int i = 0; i < times; ++i) {
    tcp::socket& socket = kept.emplace_back(io);
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    asio::write(socket, asio::buffer(request));
  }
}

}  // namespace serin::probe
