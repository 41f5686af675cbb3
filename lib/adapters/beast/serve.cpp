#include "serin/beast/serve.hpp"

#include <cstdlib>

namespace serin {

Status serve(ServeOptions options, HttpHandler& handler, StopSignal& stop, const Logger& logger) {
  PatientSleeper clock;
  const std::string address = options.server.address;
  SERIN_TRY(const std::unique_ptr<HttpServer> server, HttpServer::start(std::move(options.server), handler, clock));
  logger.info("serving", {{"address", address}, {"port", server->port()}});
  stop.wait();
  logger.info("draining", {{"delay", format_duration(options.drain_delay)}});
  if (options.on_drain) options.on_drain();
  server->leave();
  SERIN_CHECK(clock.sleep_for(options.drain_delay));
  const Status drained = server->drain(Deadline::after(clock.now(), options.drain_timeout));
  if (!drained && server->busy_workers() > 0) {
    logger.error("ended with handlers that hang", {{"handlers", server->busy_workers()}});
    // Joining them would hang as well, and what they use must not be destroyed under them.
    std::_Exit(options.stuck_exit_code);
  }
  SERIN_CHECK(drained);
  logger.info("ended");
  return {};
}

}  // namespace serin
