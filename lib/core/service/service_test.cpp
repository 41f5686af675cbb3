// Goal: every service answers the same contract, whatever its handlers do. Method: requests by hand, no socket.
#include "serin/service/service.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>

#include "serin/health/health.hpp"
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
  Status added;
  sim::World world;
  metrics::Registry metrics;
  std::unique_ptr<health::Health> made = *health::Health::make({}, world.sleeper());
  health::Health& health = *made;
  std::unique_ptr<Service> owned =
      Service::make(
          {.identity =
               {.service = "shop", .version = "1.2.0", .revision = "v2", .commit = "abc", .environment = "test"},
           .key = "secret"},
          health, metrics, Logger(world.log()), world.sleeper())
          .value();
  Service& service = *owned;
};

TEST_F(AService, health_tells_who_it_is_and_asks_nothing) {
  added = health.add({.name = "down"}, [](Deadline) { return health::CheckAnswer::fail("x", "y"); });
  const HttpResponse response = ask("GET", "/health");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(
      response.body,
      R"({"status":"healthy","service":"shop","version":"1.2.0","revision":"v2","commit":"abc","environment":"test"})");
}

TEST_F(AService, ready_is_503_until_checks_pass_and_while_it_drains) {
  std::atomic<bool> good = false;
  added = health.add({.name = "warehouse", .every = 1ms, .failing = 1ms}, [&](Deadline) {
    return good ? health::CheckAnswer::pass() : health::CheckAnswer::fail("down", "host db1 refused");
  });
  added = health.add({.name = "data", .critical = false},
                     [](Deadline) { return health::CheckAnswer::warn("old", "48 h"); });
  EXPECT_EQ(ask("GET", "/ready").status, 503);
  good = true;
  wait_for_ready(200);
  EXPECT_EQ(json_of(ask("GET", "/ready")).at("checks").as_array().size(), 1u) << "critical ones only";
  const HttpResponse deep = ask("GET", "/health/deep");
  EXPECT_EQ(deep.status, 200);
  EXPECT_EQ(json_of(deep).at("checks").as_array().size(), 2u);
  health.begin_drain();
  EXPECT_EQ(ask("GET", "/ready").status, 503);
  EXPECT_EQ(ask("GET", "/health").status, 200);
}

TEST_F(AService, texts_are_for_callers_with_the_key) {
  added =
      health.add({.name = "warehouse"}, [](Deadline) { return health::CheckAnswer::fail("down", "host db1 refused"); });
  while (ask("GET", "/ready", {{"Authorization", "Bearer secret"}}).body.find("db1") == std::string::npos)
    std::this_thread::yield();
  EXPECT_EQ(ask("GET", "/ready").body.find("db1"), std::string::npos);
  EXPECT_EQ(ask("GET", "/ready", {{"Authorization", "Bearer secrets"}}).body.find("db1"), std::string::npos);
  EXPECT_EQ(ask("GET", "/ready", {{"Authorization", "Bearer "}}).body.find("db1"), std::string::npos);
}

TEST_F(AService, has_its_health_prepared_and_metrics_from_memory) {
  const auto bytes = service.prepared({.method = "GET", .target = "/health"});
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(bytes->starts_with("HTTP/1.1 200 OK\r\n")) << *bytes;
  EXPECT_TRUE(bytes->ends_with(ask("GET", "/health").body)) << *bytes;
  EXPECT_FALSE(service.prepared({.method = "GET", .target = "/metrics"}));
  EXPECT_TRUE(service.is_immediate({.target = "/metrics"}));
  EXPECT_TRUE(service.is_immediate({.target = "/ready"}));
  EXPECT_FALSE(service.is_immediate({.target = "/predict"}));
  EXPECT_EQ(ask("POST", "/metrics").status, 405);
}

TEST_F(AService, options_that_make_no_sense_are_refused) {
  EXPECT_FALSE(Service::make({}, health, metrics, Logger(world.log()), world.sleeper())) << "it has no name";
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

TEST_F(AService, a_route_that_answers_from_memory_needs_no_worker) {
  const auto answer = [](const HttpRequest&) { return HttpResponse::text(200, "x"); };
  service.route("GET", "/state", answer, Service::Answers::from_memory);
  service.route("POST", "/state", answer);
  const auto immediate = [&](std::string method, std::string target) {
    return service.is_immediate(
        {.method = std::move(method), .target = std::move(target), .headers = {}, .body = {}, .peer = {}});
  };
  EXPECT_TRUE(immediate("GET", "/state"));
  EXPECT_FALSE(immediate("POST", "/state"));
  EXPECT_FALSE(immediate("GET", "/other"));
  EXPECT_TRUE(immediate("GET", "/health"));
}

TEST_F(AService, probes_are_not_in_the_request_log) {
  const auto requests = [&] {
    return std::ranges::count_if(world.log_lines(), [](const std::string& line) { return line.contains(" request "); });
  };
  service.route("GET", "/x", [](const HttpRequest&) { return HttpResponse::text(200, "x"); });
  for (const char* path : {"/health", "/ready", "/health/deep", "/metrics"}) ask("GET", path);
  EXPECT_EQ(requests(), 0);
  ask("GET", "/x");
  EXPECT_EQ(requests(), 1);
}

}  // namespace
}  // namespace serin
