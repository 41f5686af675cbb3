// You have a cpp-httplib server: how a handler of ours answers beside your routes. Try it:
//   build/release/bin/httplib_host 8080 &
//   curl localhost:8080/health; curl localhost:8080/hello; kill %1
#include <fmt/format.h>
#include <httplib.h>

#include "serin/base/text.hpp"
#include "serin/httplib/mount.hpp"

using namespace serin;

namespace {

/// Any HttpHandler; a Service is one.
struct Handler final : HttpHandler {
  bool is_immediate(const HttpRequest&) const noexcept override { return true; }
  HttpResponse handle(const HttpRequest& request) override {
    if (request.path() == "/health") return HttpResponse::json(200, R"({"status":"up"})");
    return HttpResponse::text(404, "no such path\n");
  }
  std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept override {
    return head.is_plain && head.target == "/health" ? health : nullptr;
  }
  const std::shared_ptr<const std::string> health = std::make_shared<const std::string>(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"up\"}");
};

}  // namespace

int main(int argc, char** argv) {
  const auto port = argc == 2 ? to_int(argv[1]) : std::nullopt;
  if (!port || *port < 0 || *port > 65535) return fmt::print(stderr, "usage: httplib_host PORT\n"), 2;
  Handler handler;
  httplib::Server server;
  server.Get("/hello", [](const httplib::Request& from, httplib::Response& to) {
    to.set_content("hello from " + from.path + "\n", "text/plain");
  });
  mount(server, handler, "/(health|ready|startup)(/.*)?");
  const int bound = *port == 0
                        ? server.bind_to_any_port("127.0.0.1")
                        : (server.bind_to_port("127.0.0.1", static_cast<int>(*port)) ? static_cast<int>(*port) : -1);
  if (bound < 0) return fmt::print(stderr, "cannot listen on port {}\n", *port), 3;
  fmt::print("port {}\n", bound);
  std::fflush(stdout);
  return server.listen_after_bind() ? 0 : 3;
}
