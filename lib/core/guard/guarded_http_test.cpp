// Goal: calls between services are tried again when that is safe, never storm, and stop reaching a broken peer. Method:
// a client that answers as told, on fake time.
#include "serin/guard/guarded_http.hpp"

#include <gtest/gtest.h>

#include "serin/sim/world.hpp"

namespace serin::guard {
namespace {

struct Scripted final : HttpClient {
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view, HttpRequest, Deadline, std::stop_token) override {
    ++calls;
    const int status = statuses.empty() ? 200 : statuses.front();
    if (statuses.size() > 1) statuses.erase(statuses.begin());
    if (status == 0) return fail(Errc::unavailable, "connect: refused");
    return HttpResponse::text(status, "x");
  }
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
  std::unique_ptr<GuardedHttp> client =
      GuardedHttp::make(inner, world.sleeper(), world.random(), {.breaker = {.calls = 10, .min_calls = 5}}).value();
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
  EXPECT_EQ(client->states().at(0).state.breaker.state, breaker::State::open);
  inner.statuses = {200};
  EXPECT_EQ(send("GET", "http://b:1")->status, 200);
  world.advance(1min);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(send("GET")->status, 200) << "it is looked at again";
  EXPECT_EQ(client->states().at(0).state.breaker.state, breaker::State::closed);
}

TEST_F(GuardedClient, options_that_make_no_sense_are_refused_at_once) {
  EXPECT_EQ(GuardedHttp::make(inner, world.sleeper(), world.random(), {.retry_preset = "desperate"}).error().detail(),
            "there is no retry preset 'desperate'");
  EXPECT_FALSE(GuardedHttp::make(inner, world.sleeper(), world.random(), {.breaker = {.calls = 0}}).has_value());
  EXPECT_FALSE(GuardedHttp::make(inner, world.sleeper(), world.random(), {.calls_at_once = 0}).has_value());
}

}  // namespace
}  // namespace serin::guard
