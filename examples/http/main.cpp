// A session: one request, many at once, streams, what came of it all.
#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "serin/beast/http_server.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/environment.hpp"

using namespace serin;

namespace {

/// "/report" is large; anything else says how much it was given.
struct Shop final : HttpHandler {
  bool is_immediate(const HttpRequest&) const noexcept override { return true; }
  HttpResponse handle(const HttpRequest& request) override {
    if (request.path() == "/report") return HttpResponse::text(200, std::string(1u << 20, 'x'));
    return HttpResponse::text(200, fmt::format("{} bytes", request.body.size()));
  }
};

/// Waits until it was passed so many times.
struct Latch {
  void pass() {
    const std::lock_guard lock(mutex);
    --left;
    changed.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return left == 0; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  int left;
};

Result<std::string> talk(const std::string& origin, const Clock& clock, const Environment& environment) {
  // snippet
  SERIN_TRY(
      const auto session,
      http::Session::make(
          {.per_origin = 8, .redirects = 3, .decompress = true, .proxies = http::proxies_of(environment)}, clock));
  // snippet
  const Deadline deadline = Deadline::after(clock.now(), 10s);
  // snippet
  SERIN_TRY(const http::Answer answer, session->send({.origin = origin,
                                                      .message = {.method = "POST", .target = "/orders", .body = "{}"},
                                                      .deadline = deadline,
                                                      .resend = http::Resend::never}));
  // snippet
  Latch all{.left = 5};
  std::mutex mutex;
  int good = answer.response.status == 200 ? 1 : 0;
  // snippet
  for (int i = 0; i < 5; ++i)
    session->send_async({.origin = origin}, [&](Result<http::Answer> each) {  // on the loop's thread
      const std::lock_guard lock(mutex);
      if (each && each->response.status == 200) ++good;
      all.pass();
    });
  // snippet
  all.wait();
  std::size_t bytes = 0;
  // snippet
  http::Request report{.origin = origin, .message = {.target = "/report"}, .deadline = deadline};
  report.sink = [&](const HttpResponse& head, std::string_view piece) -> Status {  // on this thread; may block
    if (head.status != 200) return fail(Errc::unavailable, "no report today");
    bytes += piece.size();
    return {};
  };
  SERIN_TRY(const http::Answer streamed, session->send(std::move(report)));
  // snippet
  good += streamed.response.status == 200 ? 1 : 0;
  std::int64_t opened = 0;
  for (const http::OriginStats& one : session->stats()) opened += one.opened;
  return fmt::format("{} answers over {} connections, {} bytes streamed", good, opened, bytes);
}

}  // namespace

int main() {
  const SystemClock clock;
  Shop shop;
  const auto server = HttpServer::start({}, shop, clock);
  if (!server) return 1;
  // No proxy between this program and itself.
  const Environment environment(std::map<std::string, std::string>{{"no_proxy", "127.0.0.1"}});
  const auto said = talk(fmt::format("http://127.0.0.1:{}", (*server)->port()), clock, environment);
  fmt::print("{}\n", said ? *said : said.error().text());
  return said ? 0 : 1;
}
