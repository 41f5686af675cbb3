// The smallest service that can be released with serin. Try it:
//   PORT=8080 build/release/bin/hello &
//   curl localhost:8080/hello; curl localhost:8080/ready; kill %1
#include <unistd.h>

#include "serin/base/text.hpp"
#include "serin/beast/serve.hpp"
#include "serin/health/health.hpp"
#include "serin/metrics/metrics.hpp"
#include "serin/service/service.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/environment.hpp"
#include "serin/system/json_log.hpp"

using namespace serin;

int main() {
  StopSignal stop;  // first, so that every thread leaves SIGTERM to it
  const SystemClock clock;
  const Environment environment = Environment::of_process();
  const auto variable = [&](std::string_view name) { return std::string(environment.value(name).value_or("")); };
  JsonLog sink(STDERR_FILENO, LogLevel::info, clock);
  const Logger logger(sink, {{"service", "hello"}});

  metrics::Registry metrics;
  const auto serve_hello = [&]() -> Status {
    SERIN_TRY(const auto health, health::Health::make({}, clock));
    SERIN_CHECK(health->add({.name = "greeting"}, [](Deadline) { return health::CheckAnswer::pass(); }));
    ServiceOptions options{
        .identity = {.service = variable("SERIN_SERVICE").empty() ? "hello" : variable("SERIN_SERVICE"),
                     .version = variable("SERIN_LABEL_VERSION"),
                     .revision = variable("SERIN_RELEASE"),
                     .commit = variable("SERIN_LABEL_COMMIT"),
                     .environment = variable("SERIN_ENVIRONMENT")},
        .key = variable("SERIN_KEY")};
    SERIN_TRY(const auto service, Service::make(std::move(options), *health, metrics, logger, clock));
    service->route("GET", "/hello", [](const HttpRequest& request) {
      return HttpResponse::text(200, "hello, " + request.query("name").value_or("world") + "\n");
    });
    const auto port = to_int(variable("PORT"));
    if (!port || *port < 0 || *port > 65535)
      return fail(Errc::invalid_argument, "PORT must be a number from 0 to 65535, not '" + variable("PORT") + "'");
    health->mark_started();
    return serve({.server = {.port = static_cast<std::uint16_t>(*port)}, .on_drain = [&] { health->begin_drain(); }},
                 *service, stop, logger);
  };
  const Status served = serve_hello();
  if (!served) logger.error("could not serve", {{"error", served.error().text()}});
  return served ? 0 : served.error().code() == Errc::invalid_argument ? 2 : 3;
}
