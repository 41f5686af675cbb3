// What the server's tests share: a handler whose answers are held back at will, and a client without manners.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serin/beast/http_server.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"

namespace serin {

/// "/fast" is immediate; "/slow" waits for the gate; "/later" is answered by answer_later(); "/prepared" and "/huge"
/// are prepared; anything else tells what arrived.
struct Echo final : HttpHandler {
  bool is_immediate(const HttpRequest& request) const noexcept override { return request.path() == "/fast"; }
  HttpResponse handle(const HttpRequest& request) override {
    ++handled;
    if (request.path() == "/slow") {
      std::unique_lock lock(mutex);
      ++waiting;
      changed.notify_all();
      changed.wait(lock, [&] { return gate; });
    }
    return HttpResponse::text(200, request.method + " " + request.target + " " + std::to_string(request.body.size()));
  }
  bool handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond) override {
    if (request.path() == "/forgotten") return true;
    if (request.path() != "/later") return false;
    const std::lock_guard lock(mutex);
    later.push_back(respond);
    changed.notify_all();
    return true;
  }
  std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept override {
    ++asked;
    if (!head.is_plain) return nullptr;
    return head.target == "/prepared" ? small : head.target == "/huge" ? huge : nullptr;
  }
  /// Waits until that many are there.
  std::vector<std::function<void(HttpResponse)>> take_later(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return later.size() >= count; });
    return std::exchange(later, {});
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return waiting >= count; });
  }
  void open() {
    const std::lock_guard lock(mutex);
    gate = true;
    changed.notify_all();
  }
  static std::shared_ptr<const std::string> bytes_of(const std::string& content) {
    return std::make_shared<const std::string>("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content.size()) +
                                               "\r\n\r\n" + content);
  }
  const std::shared_ptr<const std::string> small = bytes_of("ready0");
  const std::shared_ptr<const std::string> huge = bytes_of(std::string(16u << 20, 'x') + "0");
  mutable std::atomic<int> asked = 0;
  std::atomic<int> handled = 0;
  std::vector<std::function<void(HttpResponse)>> later;  // guarded by mutex
  std::mutex mutex;
  std::condition_variable changed;
  int waiting = 0;
  bool gate = false;
};

/// A client without manners.
struct Raw {
  explicit Raw(int port) : number(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (port >= 0) connect_to(static_cast<std::uint16_t>(port));
  }
  void connect_to(std::uint16_t port) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(number, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Raw() { close(number); }
  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(number, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// Everything until the server closes, or until `times` answers have begun.
  [[nodiscard]] std::string receive(int times = 1'000'000) const {
    std::string out;
    char buffer[65536];
    for (;;) {
      int seen = 0;
      for (std::size_t at = 0; times < 1000 && (at = out.find("HTTP/1.1 ", at)) != std::string::npos; ++at) ++seen;
      if (seen >= times && out.ends_with('0')) return out;
      const ssize_t count = recv(number, buffer, sizeof buffer, 0);
      if (count <= 0) return out;
      out.append(buffer, static_cast<std::size_t>(count));
    }
  }
  /// True when the server has closed its side and sent nothing before.
  [[nodiscard]] bool is_closed() const {
    char byte = 0;
    return recv(number, &byte, 1, 0) <= 0;
  }
  int number;
};

struct Server : testing::Test {
  void SetUp() override { begin({}); }
  void begin(const HttpServerOptions& options) {
    server.reset();
    auto started = HttpServer::start(options, handler, clock);
    ASSERT_TRUE(started) << started.error().text();
    server = std::move(*started);
    origin = "http://127.0.0.1:" + std::to_string(server->port());
  }
  void TearDown() override { handler.open(); }
  [[nodiscard]] Deadline soon() const { return Deadline::after(clock.now(), 10s); }
  SystemClock clock;
  Echo handler;
  std::unique_ptr<HttpServer> server;
  std::string origin;
};

}  // namespace serin
