#pragma once
#include <functional>

#include "serin/beast/http_server.hpp"
#include "serin/ports/log.hpp"
#include "serin/system/clock.hpp"

namespace serin {

struct ServeOptions {
  HttpServerOptions server;
  std::function<void()> on_drain;  ///< called first when the end was asked for: "not ready" from here on
  /// Requests are still served normally for that long, until the last router has looked: longer than it takes a router
  /// to notice. Every answer asks its client to leave (Connection: close).
  Duration drain_delay = 500ms;
  Duration drain_timeout = 15s;  ///< for the requests in flight
  /// Of the process, when a handler still runs after drain_timeout. A thread that hangs cannot be ended otherwise.
  int stuck_exit_code = 4;
};

/// Serves until SIGINT or SIGTERM, or until `stop` is requested by code, then ends in order: not ready first, a while
/// of normal service, no new connection, the requests in flight, and back. Takes at most delay + timeout and a moment:
/// does not come back when a handler hangs, but ends the process. Errors: as HttpServer::start and drain. \param
/// handler, stop  outlive the call
Status serve(ServeOptions options, HttpHandler& handler, StopSignal& stop, const Logger& logger);

}  // namespace serin
