#pragma once
#include <functional>

#include "serin/beast/http_server.hpp"
#include "serin/ports/log.hpp"
#include "serin/system/clock.hpp"

namespace serin {

struct ServeOptions {
  HttpServerOptions server;
  std::function<void()> on_drain;  ///< called first when the end was asked for: "not ready" from here on
  Duration drain_delay = 500ms;  ///< requests are still served normally for that long, until the last router has looked
  Duration drain_timeout = 15s;  ///< for the requests in flight
};

/// Serves until SIGINT or SIGTERM, then ends in order: not ready first, a while of normal service, no new connection,
/// the requests in flight, and back. Errors: as HttpServer::start and drain.
/// \param handler, stop  outlive the call
Status serve(ServeOptions options, HttpHandler& handler, StopSignal& stop, const Logger& logger);

}  // namespace serin
