#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

#include "detail_connection.hpp"

namespace serin::http {
namespace {
namespace beast = boost::beast;

HttpRequest to_request(beast::http::request<beast::http::string_body>&& message, const std::string& peer) {
  HttpRequest request{
      .method = std::string(message.method_string()), .target = std::string(message.target()), .peer = peer};
  for (const auto& field : message)
    request.headers.add(std::string_view(field.name_string().data(), field.name_string().size()),
                        std::string_view(field.value().data(), field.value().size()));
  request.body = std::move(message.body());
  return request;
}

/// The status of a request that could not be read; 0 when the client is gone and there is nobody to tell.
int status_of(const beast::error_code& error) {
  if (error == beast::http::error::header_limit) return 431;
  if (error == beast::http::error::body_limit) return 413;
  if (error == beast::http::error::end_of_stream || error == beast::http::error::partial_message) return 0;
  return error.category() == beast::http::make_error_code(beast::http::error::bad_method).category() ? 400 : 0;
}

void append_head(std::string& out, const HttpResponse& response, bool keep_alive) {
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status, http_reason(response.status));
  for (const auto& [name, value] : response.headers) {
    // A value with a line break would start a header of its own.
    if (value.find_first_of("\r\n") == std::string::npos)
      fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
  }
  if (response.status != 204 && response.status != 304)
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
  if (!keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
}

}  // namespace

Connection::Connection(Server& server, Socket socket, std::string peer)
    : server_(server), socket_(std::move(socket)), peer_(std::move(peer)), since_(server.clock.now()) {}

void Connection::start() {
  server_.open.insert(shared_from_this());
  read();
}

void Connection::close() {
  boost::system::error_code ignored;
  socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  server_.open.erase(shared_from_this());
}

void Connection::drain() {
  if (!handling_) close();
}

void Connection::sweep(Instant now) {
  if (handling_) return;
  const bool between = !parser_ || !parser_->got_some();
  if (now - since_ > (between ? server_.options.idle_timeout : server_.options.read_timeout)) close();
}

void Connection::read() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(server_.options.header_limit));
  parser_->body_limit(server_.options.body_limit);
  since_ = server_.clock.now();
  beast::http::async_read(socket_, buffer_, *parser_,
                          [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_read(error); });
}

void Connection::on_read(boost::system::error_code error) {
  if (!socket_.is_open()) return;
  if (error) {
    const int status = status_of(error);
    if (status == 0) return close();
    return refuse(status, error.message());
  }
  handling_ = true;
  keep_alive_ = parser_->keep_alive() && !server_.draining;
  head_ = parser_->get().method() == beast::http::verb::head;
  handle(to_request(parser_->release(), peer_));
}

void Connection::refuse(int status, std::string_view what) {
  handling_ = true;
  keep_alive_ = false;  // where the next request would start is unknown
  head_ = false;
  answer(HttpResponse::text(status, fmt::format("{}\n", what)));
}

void Connection::handle(HttpRequest request) {
  if (server_.handler.is_immediate(request)) return answer(server_.handler.handle(request));
  auto shared = std::make_shared<HttpRequest>(std::move(request));
  const bool taken = server_.workers.submit([self = shared_from_this(), shared] {
    auto response = std::make_shared<HttpResponse>(self->server_.handler.handle(*shared));
    boost::asio::post(self->server_.io, [self, response] { self->answer(*response); });
  });
  if (!taken) answer(server_.handler.overloaded(*shared));
}

void Connection::answer(const HttpResponse& response) {
  if (!socket_.is_open()) return close();
  keep_alive_ = keep_alive_ && !server_.draining;
  out_.clear();
  append_head(out_, response, keep_alive_);
  if (!head_) out_ += response.body;
  // Most answers fit into the socket's buffer: one system call and no trip through the reactor.
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  const std::size_t sent = socket_.write_some(boost::asio::buffer(out_), error);
  if (!error && sent == out_.size()) return on_written({});
  if (error && error != boost::asio::error::would_block) return on_written(error);
  out_.erase(0, sent);
  write();
}

void Connection::write() {
  boost::asio::async_write(
      socket_, boost::asio::buffer(out_),
      [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_written(error); });
}

void Connection::on_written(boost::system::error_code error) {
  handling_ = false;
  if (error || !keep_alive_) return close();
  // Through the queue, not by recursion: a client that pipelines must not grow the stack or starve the others.
  boost::asio::post(server_.io, [self = shared_from_this()] {
    if (!self->socket_.is_open()) return;
    if (self->server_.draining) return self->close();
    self->read();
  });
}

}  // namespace serin::http
