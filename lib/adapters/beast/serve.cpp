#include "serin/beast/serve.hpp"

namespace serin {

Status serve(ServeOptions options, HttpHandler& handler, StopSignal& stop, const Logger& logger) {
  PatientSleeper clock;
  const std::string address = options.server.address;
  SERIN_TRY(const std::unique_ptr<HttpServer> server, HttpServer::start(std::move(options.server), handler, clock));
  logger.info("serving", {{"address", address}, {"port", server->port()}});
  stop.wait();
  logger.info("draining", {{"delay", format_duration(options.drain_delay)}});
  if (options.on_drain) options.on_drain();
  SERIN_CHECK(clock.sleep_for(options.drain_delay));
  SERIN_CHECK(server->drain(Deadline::after(clock.now(), options.drain_timeout)));
  logger.info("ended");
  return {};
}

}  // namespace serin
