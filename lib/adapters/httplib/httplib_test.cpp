// Goal: a handler answers behind cpp-httplib as it does behind our own server. Method: a real server on a port of the
// kernel's choice, our own client.
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <thread>

#include "serin/http/session.hpp"
#include "serin/httplib/mount.hpp"
#include "serin/system/clock.hpp"

namespace serin {
namespace {

struct Handler final : HttpHandler {
  bool is_immediate(const HttpRequest&) const noexcept override { return false; }
  HttpResponse handle(const HttpRequest& request) override {
    HttpResponse response = HttpResponse::text(201, request.method + " " + request.target + " " + request.body + " " +
                                                        std::string(request.headers.find("x-in").value_or("none")));
    if (request.headers.find("REMOTE_ADDR")) response.status = 500;
    response.headers.add("X-Out", "yes");
    return response;
  }
  bool handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond) override {
    if (request.path() != "/later") return false;
    other = std::jthread([respond] { respond(HttpResponse::text(200, "later")); });
    return true;
  }
  std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept override {
    if (!head.is_plain || head.target != "/health") return nullptr;
    ++served;
    return bytes;
  }
  const std::shared_ptr<const std::string> bytes = std::make_shared<const std::string>(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
      "Content-Length: 17\r\n\r\n{\"status\":\"down\"}");
  mutable std::atomic<int> served = 0;
  std::jthread other;
};

struct Mounted : testing::Test {
  Mounted() {
    server.Get("/own",
               [](const httplib::Request&, httplib::Response& to) { to.set_content("the host's", "text/plain"); });
    mount(server, handler);
    origin = "http://127.0.0.1:" + std::to_string(server.bind_to_any_port("127.0.0.1"));
    listening = std::jthread([this] { server.listen_after_bind(); });
    server_runs();
  }
  ~Mounted() override { server.stop(); }
  void server_runs() const {
    while (!server.is_running()) std::this_thread::yield();
  }
  HttpResponse ask(HttpRequest request) {
    auto answer = client.send(origin, std::move(request), Deadline::after(clock.now(), 10s));
    EXPECT_TRUE(answer) << answer.error().text();
    return answer.value_or(HttpResponse{});
  }
  SystemClock clock;
  Handler handler;
  httplib::Server server;
  std::string origin;
  std::jthread listening;
  http::Session client{clock};
};

TEST_F(Mounted, answers_what_is_prepared_with_its_status_and_fields) {
  const HttpResponse answer = ask({.target = "/health"});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, R"({"status":"down"})");
  EXPECT_EQ(answer.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(answer.headers.find("Content-Length"), "17");
  EXPECT_EQ(ask({.method = "HEAD", .target = "/health"}).headers.find("Content-Length"), "17");
  EXPECT_EQ(handler.served, 2);
}

TEST_F(Mounted, passes_everything_else_on_whole) {
  const HttpResponse answer =
      ask({.method = "POST", .target = "/a?b=1", .headers = {{"X-In", "there"}}, .body = "body"});
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "POST /a?b=1 body there");
  EXPECT_EQ(answer.headers.find("X-Out"), "yes");
  EXPECT_EQ(answer.headers.find("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(ask({.target = "/health", .headers = {{"Authorization", "Bearer x"}}}).body, "GET /health  none");
  EXPECT_EQ(ask({.method = "POST", .target = "/health"}).body, "POST /health  none");
  EXPECT_EQ(handler.served, 0) << "a head that is not plain is no matter of prepared()";
}

TEST_F(Mounted, waits_for_an_answer_that_comes_later) { EXPECT_EQ(ask({.target = "/later"}).body, "later"); }

TEST_F(Mounted, leaves_the_host_its_own_routes) { EXPECT_EQ(ask({.target = "/own"}).body, "the host's"); }

}  // namespace
}  // namespace serin
