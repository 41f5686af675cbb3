#include "servers.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <condition_variable>
#include <mutex>

#include "serin/beast/http_server.hpp"
#include "serin/http/session.hpp"
#include "serin/httplib/mount.hpp"
#include "serin/system/clock.hpp"
#include "serin/wire/wire.hpp"

namespace serin::probe {

const std::vector<std::pair<std::string, std::string>>& fields() {
  static const std::vector<std::pair<std::string, std::string>> list{{"Server", "nginx"},
                                                                     {"Date", "Tue, 24 Nov 2026 12:00:00 GMT"},
                                                                     {"Content-Type", "application/json"},
                                                                     {"Connection", "keep-alive"},
                                                                     {"Cache-Control", "no-store"}};
  return list;
}

std::string nginx_configuration(const std::string& folder, std::uint16_t port) {
  return fmt::format(
      "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log /dev/null;\n"
      "events {{ worker_connections 2048; }}\n"
      "http {{\n  access_log off;\n  server_tokens off;\n  keepalive_requests 100000000;\n  default_type "
      "application/json;\n"
      "  client_body_temp_path {0};\n  proxy_temp_path {0};\n  fastcgi_temp_path {0};\n  uwsgi_temp_path {0};\n"
      "  scgi_temp_path {0};\n"
      "  server {{\n    listen 127.0.0.1:{1} backlog=4096;\n    location = /health {{\n"
      "      add_header Cache-Control no-store;\n      return 200 '{2}';\n    }}\n  }}\n}}\n",
      folder, port, body);
}

struct Constant::Hang {
  std::mutex mutex;
  std::condition_variable ended;
  bool over = false;  // guarded by mutex
};

Constant::Constant() : hang_(std::make_unique<Hang>()) {
  HttpResponse response{200, {}, std::string(body)};
  for (const auto& [name, value] : fields()) response.headers.add(name, value);
  std::string out;
  wire::append_answer(out, response, {});
  bytes_ = std::make_shared<const std::string>(std::move(out));
}

Constant::~Constant() {
  const std::lock_guard lock(hang_->mutex);
  hang_->over = true;
  hang_->ended.notify_all();
}

bool Constant::is_immediate(const HttpRequest& request) const noexcept { return request.path() != "/hang"; }

HttpResponse Constant::handle(const HttpRequest& request) {
  if (request.path() == "/hang") {
    std::unique_lock lock(hang_->mutex);
    hang_->ended.wait(lock, [&] { return hang_->over; });
  }
  HttpResponse response{200, {}, std::string(body)};
  for (const auto& [name, value] : fields()) response.headers.add(name, value);
  return response;
}

std::shared_ptr<const std::string> Constant::prepared(const HttpHead& head) const noexcept {
  return head.is_plain && head.target == "/health" ? bytes_ : nullptr;
}

namespace {

[[noreturn]] void for_ever() {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable never;
  for (;;) never.wait(lock);
}

void serve_ours(std::uint16_t port, bool hung) {
  Constant handler;
  const SystemClock clock;
  const HttpServerOptions options{.port = port};
  const auto server = HttpServer::start(options, handler, clock);
  if (!server) return fmt::print(stderr, "{}\n", server.error().text());
  if (hung) {
    // As many as workers and their queue hold, and some more, which are turned away.
    send_and_forget(port, "/hang", options.workers + static_cast<int>(options.queue) + 8);
    http::Session client(clock);
    const std::string origin = fmt::format("http://127.0.0.1:{}", port);
    for (;;) {
      const auto answer =
          client.send(origin, {.method = "POST", .target = "/hang"}, Deadline::after(clock.now(), 100ms));
      if (answer && answer->status == 503) break;
    }
  }
  for_ever();
}

void serve_httplib(std::uint16_t port, bool with_serin) {
  Constant handler;
  httplib::Server server;
  // A thread a connection, for as many as are measured; the defaults would close connections after five requests.
  server.new_task_queue = [] { return std::make_unique<httplib::ThreadPool>(300).release(); };
  server.set_keep_alive_max_count(100'000'000);
  server.set_keep_alive_timeout(60);
  server.set_tcp_nodelay(true);
  if (with_serin)
    mount(server, handler, "/health");
  else
    server.Get("/health", [](const httplib::Request&, httplib::Response& response) {
      for (const auto& [name, value] : fields())
        if (name != "Connection" && name != "Content-Type") response.set_header(name, value);
      response.set_content(body.data(), body.size(), "application/json");
    });
  server.listen("127.0.0.1", port);
}

}  // namespace

bool serve(std::string_view name, std::uint16_t port) {
  Constant handler;
  if (name == "serin" || name == "serin_hung")
    serve_ours(port, name == "serin_hung");
  else if (name == "beast")
    serve_beast(port, nullptr);
  else if (name == "beast_serin")
    serve_beast(port, &handler);
  else if (name == "httplib" || name == "httplib_serin")
    serve_httplib(port, name == "httplib_serin");
  else
    return false;
  return true;
}

}  // namespace serin::probe
