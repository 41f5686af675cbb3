#include <sys/socket.h>

#include <atomic>
#include <boost/asio/post.hpp>

#include "detail_connection.hpp"

namespace serin::serving {
namespace {

// Requests of one client before the others get their turn.
constexpr int turns = 16;
// A client that has just connected is about to ask; when the server ends, it may still do so for that long.
constexpr Duration first_request_grace = 500ms;
// An answer is lost when the client still sends while we close: the kernel resets the connection. So we only say that
// we are done, and wait for the client to close (RFC 9112, 9.6), for that long.
constexpr Duration linger_timeout = 2s;

/// What the handler calls when it answers later: once, from any thread, maybe after the client or the server is gone.
class LaterAnswer {
 public:
  LaterAnswer(std::shared_ptr<Gate> gate, std::weak_ptr<Connection> connection)
      : gate_(std::move(gate)), connection_(std::move(connection)) {}
  LaterAnswer(const LaterAnswer&) = delete;
  LaterAnswer& operator=(const LaterAnswer&) = delete;
  /// Nobody can answer any more: the client is not left waiting.
  ~LaterAnswer() { give(HttpResponse::json(500, R"({"error":"no answer was made"})")); }
  /// True, when it was still to be given.
  bool forget() noexcept { return !given_.exchange(true); }
  void give(HttpResponse response) {
    if (!forget()) return;
    const std::lock_guard lock(gate_->mutex);
    if (gate_->io == nullptr) return;
    if (std::shared_ptr<Connection> connection = connection_.lock())
      boost::asio::post(*gate_->io, [connection = std::move(connection), response = std::move(response)] {
        connection->finish(response);
      });
  }

 private:
  std::atomic<bool> given_ = false;
  std::shared_ptr<Gate> gate_;
  std::weak_ptr<Connection> connection_;
};

}  // namespace

Connection::Connection(Server& server, Socket socket, std::string peer)
    : server_(server),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      session_({.head = server.options.header_limit, .body = server.options.body_limit}, server.handler),
      since_(server.clock.now()) {}

void Connection::start() {
  server_.open.insert(shared_from_this());
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  if (error) return close();
  read();
}

void Connection::close() {
  if (!socket_.is_open()) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
  server_.open.erase(shared_from_this());
  server_.on_close();
}

void Connection::end() {
  if (lingering_) return;
  lingering_ = true;
  since_ = server_.clock.now();
  boost::system::error_code error;
  socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
  if (error) return close();
  if (!reading_) read();
}

bool Connection::has_unread_bytes() {
  char first = 0;
  return ::recv(socket_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Connection::drain(Instant now) {
  if (lingering_ || handling_ || writing_ || !session_.between_requests() || has_unread_bytes()) return;
  if (session_.has_answered() || now - since_ > first_request_grace) end();
}

void Connection::sweep(Instant now) {
  if (handling_ && !writing_) return;
  Duration limit = server_.options.idle_timeout;
  if (lingering_)
    limit = linger_timeout;
  else if (writing_ || begun_)
    limit = server_.options.read_timeout;
  if (now - since_ > limit) close();
}

void Connection::read() {
  const bool begun = !session_.between_requests();
  // The time of a request counts from its first bytes: one that comes bit by bit gains nothing.
  if (!lingering_ && (!begun || !begun_)) since_ = server_.clock.now();
  begun_ = begun;
  reading_ = true;
  socket_.async_read_some(
      session_.room(),
      [self = shared_from_this()](boost::system::error_code error, std::size_t size) { self->on_read(error, size); });
}

void Connection::on_read(boost::system::error_code error, std::size_t size) {
  reading_ = false;
  if (!socket_.is_open()) return;
  if (error) return close();
  if (lingering_) return read();
  session_.received(size);
  run();
}

void Connection::run() {
  for (int turn = 0; turn < turns; ++turn) {
    if (handling_ || !socket_.is_open()) return;
    switch (session_.next(server_.leaving)) {
      case Session::Step::read: return read();
      case Session::Step::close: return end();
      case Session::Step::request: handle(session_.take()); break;
      case Session::Step::write: break;
    }
    if (!flush()) return;
  }
  // Through the queue, not by recursion: a client that pipelines must not grow the stack or starve the others.
  boost::asio::post(server_.io, [self = shared_from_this()] { self->run(); });
}

void Connection::handle(HttpRequest request) {
  handling_ = true;
  request.peer = peer_;
  auto later = std::make_shared<LaterAnswer>(server_.gate, weak_from_this());
  const bool is_taken =
      server_.handler.handle_later(request, [later](HttpResponse response) { later->give(std::move(response)); });
  if (is_taken || !later->forget()) return;
  if (server_.handler.is_immediate(request)) return respond(server_.handler.handle(request));
  auto shared = std::make_shared<HttpRequest>(std::move(request));
  const bool is_queued = server_.workers.submit([self = shared_from_this(), shared] {
    auto response = std::make_shared<HttpResponse>(self->server_.handler.handle(*shared));
    boost::asio::post(self->server_.io, [self, response] { self->finish(*response); });
  });
  if (!is_queued) respond(server_.handler.overloaded(*shared));
}

void Connection::respond(const HttpResponse& response) {
  session_.answer(response, server_.leaving);
  handling_ = false;
}

void Connection::finish(const HttpResponse& response) {
  if (!socket_.is_open()) return;
  respond(response);
  if (!writing_ && flush()) run();
}

bool Connection::flush() {
  while (!session_.pending().empty()) {
    const std::string_view bytes = session_.pending();
    boost::system::error_code error;
    // Most answers fit into the socket's buffer: one system call and no trip through the reactor.
    const std::size_t sent = socket_.write_some(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (error == boost::asio::error::would_block) {
      since_ = server_.clock.now();
      writing_ = true;
      socket_.async_wait(Socket::wait_write, [self = shared_from_this()](boost::system::error_code failed) {
        self->writing_ = false;
        if (failed || !self->socket_.is_open()) return self->close();
        if (self->flush()) self->run();
      });
      return false;
    }
    if (error) {
      close();
      return false;
    }
    session_.sent(sent);
  }
  return true;
}

}  // namespace serin::serving
