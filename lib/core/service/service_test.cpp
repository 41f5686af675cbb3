// Goal: every service answers the same contract, whatever its handlers do. Method: requests by hand, no socket.
#include "serin/service/service.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "serin/sim/world.hpp"

namespace serin {
namespace {

struct AService : testing::Test {
  HttpResponse ask(std::string method, std::string target, HttpHeaders headers = {}) {
    return service.handle({.method = std::move(method),
                           .target = std::move(target),
                           .headers = std::move(headers),
                           .body = {},
                           .peer = {}});
  }
  boost::json::object json_of(const HttpResponse& response) { return boost::json::parse(response.body).as_object(); }
  void wait_for_ready(int status) {
    while (ask("GET", "/ready").status != status) std::this_thread::yield();  // the test's time limit bounds it
  }
  sim::World world;
  metrics::Registry metrics;
  health::Health health{"shop", world.sleeper()};
  Service service{{.service = "shop", .version = "1.2.0", .revision = "v2", .commit = "abc", .environment = "test"},
                  "secret",
                  health,
                  metrics,
                  Logger(world.log()),
                  world.sleeper()};
};

TEST_F(AService, health_tells_who_it_is_and_asks_nothing) {
  health.add({.name = "down"}, [](Deadline) { return health::CheckAnswer::fail("x", "y"); });
  const HttpResponse response = ask("GET", "/health");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(
      response.body,
      R"({"status":"healthy","service":"shop","version":"1.2.0","revision":"v2","commit":"abc","environment":"test"})");
}

TEST_F(AService, ready_is_503_until_checks_pass_and_while_it_drains) {
  std::atomic<bool> good = false;
  health.add({.name = "warehouse", .every = 1ms, .failing = 1ms}, [&](Deadline) {
    return good ? health::CheckAnswer::pass() : health::CheckAnswer::fail("down", "host db1 refused");
  });
  health.add({.name = "data", .critical = false}, [](Deadline) { return health::CheckAnswer::warn("old", "48 h"); });
  EXPECT_EQ(ask("GET", "/ready").status, 503);
  good = true;
  wait_for_ready(200);
  EXPECT_EQ(json_of(ask("GET", "/ready")).at("checks").as_array().size(), 1u) << "critical ones only";
  const HttpResponse deep = ask("GET", "/health/deep");
  EXPECT_EQ(deep.status, 200);
  EXPECT_EQ(json_of(deep).at("checks").as_array().size(), 2u);
  service.begin_drain();
  EXPECT_EQ(ask("GET", "/ready").status, 503);
  EXPECT_EQ(ask("GET", "/health").status, 200);
}

TEST_F(AService, texts_are_for_callers_with_the_key) {
  health.add({.name = "warehouse"}, [](Deadline) { return health::CheckAnswer::fail("down", "host db1 refused"); });
  while (ask("GET", "/ready", {{"Authorization", "Bearer secret"}}).body.find("db1") == std::string::npos)
    std::this_thread::yield();
  EXPECT_EQ(ask("GET", "/ready").body.find("db1"), std::string::npos);
  EXPECT_EQ(ask("GET", "/ready", {{"Authorization", "Bearer secrets"}}).body.find("db1"), std::string::npos);
  EXPECT_EQ(ask("GET", "/ready", {{"Authorization", "Bearer "}}).body.find("db1"), std::string::npos);
}

TEST_F(AService, routes_answer_and_what_they_throw_is_a_500) {
  service.route("POST", "/predict", [](const HttpRequest&) { return HttpResponse::json(200, "{}"); });
  service.route("GET", "/games/*",
                [](const HttpRequest& request) { return HttpResponse::text(200, std::string(request.path())); });
  service.route("GET", "/boom", [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("no"); });
  EXPECT_EQ(ask("POST", "/predict").status, 200);
  EXPECT_EQ(ask("GET", "/predict").status, 405);
  EXPECT_EQ(ask("GET", "/predict").headers.find("Allow"), "POST");
  EXPECT_EQ(ask("GET", "/games/2026-01-02").body, "/games/2026-01-02");
  EXPECT_EQ(ask("GET", "/games/").status, 404);
  EXPECT_EQ(ask("GET", "/games/a/b").status, 404);
  EXPECT_EQ(ask("GET", "/boom").status, 500);
  EXPECT_EQ(ask("POST", "/health").status, 405);
  const std::string text = ask("GET", "/metrics").body;
  EXPECT_NE(text.find("http_requests_total{route=\"/predict\",status=\"200\"} 1"), std::string::npos) << text;
  EXPECT_NE(text.find("http_requests_total{route=\"/boom\",status=\"500\"} 1"), std::string::npos) << text;
  EXPECT_EQ(text.find("/games/a"), std::string::npos) << "a caller's path is no label";
  EXPECT_FALSE(world.log_lines().empty());
}

}  // namespace
}  // namespace serin
