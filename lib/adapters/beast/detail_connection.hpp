#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "detail_workers.hpp"
#include "serin/beast/http_server.hpp"

// Private to the module.
namespace serin::http {

// The concrete executor, not any_io_executor: half the compile time, and less CPU a request.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

class Connection;

/// What all connections of a server share. Threads: the network thread, but for `workers`.
struct Server {
  const HttpServerOptions& options;
  HttpHandler& handler;
  const Clock& clock;
  boost::asio::io_context& io;
  Workers& workers;
  std::set<std::shared_ptr<Connection>> open = {};
  bool draining = false;
};

/// One client connection: one request at a time, in order, so pipelined requests are answered in order.
/// Shared ownership, because an answer may still come from a worker after the client has gone. Threads: the network
/// thread; answer() from a worker posts to it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, Socket socket, std::string peer);
  void start();
  /// Closes it now if no request is being handled, else after its answer.
  void drain();
  void close();
  /// Closes it when it has been idle or half-read for too long. Called by the sweep, once a second.
  void sweep(Instant now);

 private:
  void read();
  void on_read(boost::system::error_code error);
  void handle(HttpRequest request);
  void refuse(int status, std::string_view what);
  void answer(const HttpResponse& response);
  void write();
  void on_written(boost::system::error_code error);

  Server& server_;
  Socket socket_;
  std::string peer_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  bool handling_ = false;  ///< a request has been read and not been answered
  bool keep_alive_ = true;
  bool head_ = false;
  std::string out_;
  Instant since_;  ///< start of the present wait
};

}  // namespace serin::http
