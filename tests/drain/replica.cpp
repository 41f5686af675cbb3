// A service as small as it can be: drain_replica PORT DELAY_MS TIMEOUT_MS. "/work" takes 5 to 25 ms, "/hang" for ever.
#include <unistd.h>

#include <atomic>

#include "serin/base/text.hpp"
#include "serin/beast/serve.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/json_log.hpp"

using namespace serin;

namespace {

struct Replica final : HttpHandler {
  bool is_immediate(const HttpRequest& request) const noexcept override {
    return request.path() == "/health" || request.path() == "/ready";
  }
  HttpResponse handle(const HttpRequest& request) override {
    if (request.path() == "/health") return HttpResponse::text(200, "up");
    if (request.path() == "/ready")
      return draining ? HttpResponse::text(503, "draining") : HttpResponse::text(200, "up");
    const bool hangs = request.path() == "/hang";
    const Status slept = clock.sleep_for(hangs ? Duration(24h) : Duration(5ms) + 1ms * (count++ % 21));
    return HttpResponse::text(slept ? 200 : 500, "done");
  }
  std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept override {
    return head.is_plain && head.target == "/health" ? bytes : nullptr;
  }
  const std::shared_ptr<const std::string> bytes =
      std::make_shared<const std::string>("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nup");
  PatientSleeper clock;
  std::atomic<bool> draining = false;
  std::atomic<int> count = 0;
};

}  // namespace

int main(int argc, char** argv) {
  StopSignal stop;  // first, so that every thread leaves SIGTERM to it
  if (argc != 4) return 2;
  const SystemClock clock;
  JsonLog sink(STDERR_FILENO, LogLevel::info, clock);
  const Logger logger(sink, {});
  const auto number = [&](int i) { return to_int(argv[i]).value_or(0); };
  Replica replica;
  const Status served = serve({.server = {.port = static_cast<std::uint16_t>(number(1)), .workers = 16},
                               .on_drain = [&] { replica.draining = true; },
                               .drain_delay = 1ms * number(2),
                               .drain_timeout = 1ms * number(3)},
                              replica, stop, logger);
  if (!served) logger.error("could not serve", {{"error", served.error().text()}});
  return served ? 0 : 3;
}
