#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "serin/base/error.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"

namespace serin {

struct HttpServerOptions {
  std::string address = "127.0.0.1";  ///< IPv4 or IPv6 address to listen on
  std::uint16_t port = 0;             ///< 0: the kernel chooses
  int workers = 8;                    ///< threads for handlers that may block; 1 to 256
  std::size_t queue = 256;            ///< requests waiting for a worker before new ones are answered "overloaded"; >= 1
  std::size_t header_limit = 16384;   ///< bytes of a request's head; more is answered 431
  std::size_t body_limit = 10u << 20;  ///< bytes of a request's body; more is answered 413
  Duration idle_timeout = 60s;         ///< a connection without a request is closed then
  Duration read_timeout = 20s;         ///< a request that is not complete then is cut off
  std::size_t max_connections = 4096;  ///< further ones are closed at once; without descriptors they wait
};

/// An HTTP/1.1 server: one network thread, a bounded pool of workers. What the handler has prepared is sent as it is,
/// on the network thread, without a request being made of it. Threads: any.
class HttpServer {
 public:
  /// Listens and serves from the moment this returns.
  /// \param handler, clock  outlive the server; it must not end while a handler hangs, because it joins its workers
  /// Errors: conflict (address in use, named), invalid_argument (no such address), permission_denied, exhausted.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, HttpHandler& handler, const Clock& clock);
  ~HttpServer();
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Serves as before, but every answer is its connection's last and says so: clients that keep connections go
  /// elsewhere for their next request. To be followed by drain().
  void leave();
  /// Stops listening, closes idle connections, lets requests in flight finish, also those that are answered later. A
  /// client that has connected and not asked yet may still do so for half a second.
  /// Errors: deadline_exceeded, when some had not finished; they are cut off.
  Status drain(Deadline deadline);
  /// Workers that are with a handler now.
  [[nodiscard]] int busy_workers() const;

 private:
  struct Parts;
  explicit HttpServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace serin
