#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "detail_session.hpp"
#include "detail_workers.hpp"
#include "serin/beast/http_server.hpp"

// Private to the module.
namespace serin::serving {

// The concrete executor, not any_io_executor: half the compile time, and less CPU a request.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

class Connection;

/// Where answers that come later reach the network thread, for as long as there is one. Threads: any.
struct Gate {
  std::mutex mutex;
  boost::asio::io_context* io = nullptr;  // guarded by mutex
};

/// What all connections of a server share. Threads: the network thread, but for `workers` and `gate`.
struct Server {
  const HttpServerOptions& options;
  HttpHandler& handler;
  const Clock& clock;
  boost::asio::io_context& io;
  Workers& workers;
  std::function<void()> on_close;  ///< a descriptor is free again
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::set<std::shared_ptr<Connection>> open = {};
  bool leaving = false;  ///< every answer is its connection's last
};

/// One client connection: one request at a time, in order, so pipelined requests are answered in order.
/// Shared ownership, because an answer may still come from a worker after the client has gone. Threads: the network
/// thread; a worker posts its answer to it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, Socket socket, std::string peer);
  void start();
  /// The server does not listen any more: ends it if nothing was begun, else leaves that to its answer.
  void drain(Instant now);
  /// The client has nothing to wait for.
  [[nodiscard]] bool is_done() const noexcept { return lingering_; }
  void close();
  /// Closes it when it has been idle, half-read or half-written for too long. Called by the sweep, once a second.
  void sweep(Instant now);
  /// The answer to the request that is being handled.
  void finish(const HttpResponse& response);

 private:
  void read();
  void on_read(boost::system::error_code error, std::size_t size);
  void run();
  void handle(HttpRequest request);
  void respond(const HttpResponse& response);
  bool flush();
  void end();
  [[nodiscard]] bool has_unread_bytes();

  Server& server_;
  Socket socket_;
  std::string peer_;
  Session session_;
  bool reading_ = false;
  bool writing_ = false;    ///< the client does not take its answer as fast as we write it
  bool handling_ = false;   ///< a request is with the handler
  bool begun_ = false;      ///< a request was read in part when we last waited
  bool lingering_ = false;  ///< all was said; waiting for the client to close
  Instant since_;           ///< start of the present wait
};

}  // namespace serin::serving
