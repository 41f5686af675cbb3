// Goal: calls between services are tried again when that is safe, never storm, and stop reaching a broken peer. Method:
// a client that answers as told, on fake time.
#include "serin/guard/guarded_http.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <stop_token>

#include "serin/sim/world.hpp"

namespace serin::guard {
namespace {

struct Scripted final : HttpClient {
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view, HttpRequest request, Deadline, std::stop_token stop) override {
    ++calls;
    if (on_call) on_call();
    if (stop.stop_requested()) return fail(Errc::cancelled, "the caller gave up");
    time_left = std::string(request.headers.find("X-Envoy-Expected-Rq-Timeout-Ms").value_or("none"));
    const int status = statuses.empty() ? 200 : statuses.front();
    if (statuses.size() > 1) statuses.erase(statuses.begin());
    if (status == 0) return fail(Errc::unavailable, "connect: refused");
    HttpResponse response = HttpResponse::text(status, "x");
    if (status != 200 && !retry_after.empty()) response.headers.set("Retry-After", retry_after);
    return response;
  }
  std::function<void()> on_call;
  std::string retry_after;
  std::string time_left;
  std::vector<int> statuses;
  int calls = 0;
};

struct GuardedClient : testing::Test {
  Result<HttpResponse> send(std::string method, std::string_view origin = "http://a:1") {
    return client->send(origin, {.method = std::move(method), .headers = {}, .body = {}, .peer = {}},
                        Deadline::after(world.now(), 60s));
  }
  sim::World world;
  Scripted inner;
  static TargetPolicy with_breaker(breaker::BreakerOptions options) {
    TargetPolicy policy = usual_http_policy().value();
    policy.breaker = std::move(options);
    return policy;
  }
  std::unique_ptr<GuardedHttp> client =
      GuardedHttp::make(inner, world.sleeper(), world.random(), {.policy = with_breaker({.calls = 10, .min_calls = 5})})
          .value();
};

TEST_F(GuardedClient, a_get_is_tried_again_and_a_post_is_not) {
  inner.statuses = {503, 0, 200};
  EXPECT_EQ(send("GET")->status, 200);
  EXPECT_EQ(inner.calls, 3);
  inner.statuses = {503, 200};
  EXPECT_EQ(send("POST")->status, 503) << "the answer as it was: it may have been done";
  EXPECT_EQ(inner.calls, 4);
  inner.statuses = {404};
  EXPECT_EQ(send("GET")->status, 404);
  EXPECT_EQ(inner.calls, 5);
}

TEST_F(GuardedClient, a_broken_origin_is_left_alone_and_another_is_not) {
  inner.statuses = {0};
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(send("GET").has_value());
  EXPECT_LT(inner.calls, 20) << "the breaker opened";
  EXPECT_EQ(client->states().at(0).state.breaker->state, breaker::State::open);
  inner.statuses = {200};
  EXPECT_EQ(send("GET", "http://b:1")->status, 200);
  world.advance(1min);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(send("GET")->status, 200) << "it is looked at again";
  EXPECT_EQ(client->states().at(0).state.breaker->state, breaker::State::closed);
}

TEST_F(GuardedClient, keeps_a_peers_retry_after_in_both_forms) {
  inner.statuses = {429, 200};
  inner.retry_after = "4";
  Instant began = world.now();
  EXPECT_EQ(send("GET")->status, 200);
  EXPECT_GE(world.now() - began, 4s);
  EXPECT_LE(world.now() - began, 6s);
  inner.statuses = {503, 200};
  inner.retry_after = "Thu, 09 Apr 2026 18:03:20 GMT";  // the world began at 18:03:00
  EXPECT_EQ(send("GET")->status, 200);
  EXPECT_GE(world.sleeper().wall(), parse_rfc3339("2026-04-09T18:03:20Z").value());
  inner.statuses = {503, 200};
  inner.retry_after = "3600";
  began = world.now();
  EXPECT_EQ(send("GET")->status, 503) << "longer than the caller has: the answer as it was";
  EXPECT_EQ(world.now(), began);
}

TEST_F(GuardedClient, tells_the_peer_how_much_time_is_left) {
  EXPECT_EQ(send("GET")->status, 200);
  EXPECT_EQ(inner.time_left, "5000") << "an attempt's";
  ASSERT_TRUE(client->send("http://a:1", {}, Deadline::after(world.now(), 1234567us)));
  EXPECT_EQ(inner.time_left, "1234");
}

TEST_F(GuardedClient, is_given_up_in_an_attempt_and_before_it) {
  std::stop_source stop;
  inner.on_call = [&] { stop.request_stop(); };
  const auto given_up = client->send("http://a:1", {}, Deadline::after(world.now(), 60s), stop.get_token());
  EXPECT_EQ(given_up.error().code(), Errc::cancelled);
  EXPECT_EQ(inner.calls, 1);
  EXPECT_EQ(client->send("http://a:1", {}, Deadline::after(world.now(), 60s), stop.get_token()).error().code(),
            Errc::cancelled);
  EXPECT_EQ(inner.calls, 1);
  EXPECT_EQ(client->states().at(0).state.bulkhead->inside, 0);
}

TEST_F(GuardedClient, counts_and_logs_when_it_is_asked_to) {
  metrics::Registry registry;
  client = GuardedHttp::make(inner, world.sleeper(), world.random(),
                             {.policy = with_breaker({.calls = 3, .min_calls = 3}),
                              .watchers = {.metrics = &registry, .log = &world.log()}})
               .value();
  inner.statuses = {0};
  EXPECT_FALSE(send("GET").has_value());
  client->write_gauges(registry);
  const std::string text = registry.expose();
  EXPECT_NE(text.find("resilience_attempts_total{target=\"http://a:1\",outcome=\"transient\"} 3\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("resilience_breaker_state{target=\"http://a:1\"} 2\n"), std::string::npos);
  EXPECT_NE(std::ranges::find(world.log_lines(), "warn resilience.breaker target=http://a:1 from=closed to=open"),
            world.log_lines().end());
}

TEST_F(GuardedClient, an_origin_may_have_a_policy_of_its_own) {
  TargetPolicy once;
  client =
      GuardedHttp::make(
          inner, world.sleeper(), world.random(),
          {.policy_of =
               [&](std::string_view origin) { return origin == "http://b:1" ? std::optional(once) : std::nullopt; }})
          .value();
  inner.statuses = {503, 200};
  EXPECT_EQ(send("GET", "http://a:1")->status, 200);
  EXPECT_EQ(inner.calls, 2);
  inner.statuses = {503, 200};
  EXPECT_EQ(send("GET", "http://b:1")->status, 503) << "its policy has no retries";
  EXPECT_EQ(inner.calls, 3);
  const std::vector<NamedState> states = client->states();
  ASSERT_EQ(states.size(), 2U);
  EXPECT_TRUE(states[0].state.breaker.has_value());
  EXPECT_FALSE(states[1].state.breaker.has_value());
}

TEST_F(GuardedClient, options_that_make_no_sense_are_refused_at_once) {
  const auto error = [&](TargetPolicy policy) {
    const auto made = GuardedHttp::make(inner, world.sleeper(), world.random(), {.policy = std::move(policy)});
    return made ? std::string() : made.error().detail();
  };
  EXPECT_TRUE(error(with_breaker({.calls = 0})).contains("calls must be from 1"));
  EXPECT_TRUE(error({.bulkhead = limit::BulkheadOptions{.most = 0}}).contains("most must be"));
}

}  // namespace
}  // namespace serin::guard
