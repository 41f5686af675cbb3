// Goal: one call follows the rules: token, address, retries by reason, waits that the service asks for, budget,
// deadline. Method: a scripted HTTP client and sim::World's time, so that every wait is measured and none takes time.
#include "serin/google/api.hpp"

#include <gtest/gtest.h>

#include "scripted_http.hpp"
#include "serin/sim/world.hpp"

namespace serin::google {
namespace {

/// Tokens t1, t2, ...: a new one after each rejection.
class CountingTokens final : public TokenSource {
 public:
  Result<std::string> token(Deadline, std::stop_token) override {
    if (broken) return fail(Errc::permission_denied, "no token: the key was deleted");
    return "t" + std::to_string(number);
  }
  void reject(std::string_view token) override {
    rejected.emplace_back(token);
    ++number;
  }
  std::string quota_project() const override { return project; }
  int number = 1;
  bool broken = false;
  std::string project;
  std::vector<std::string> rejected;
};

const std::string rate_limited = R"({"error":{"code":403,"message":"slow","errors":[{"reason":"rateLimitExceeded"}]}})";
const std::string denied = R"({"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}})";

class ApiCalls : public testing::Test {
 protected:
  Result<HttpResponse> call(const ApiCall& call) { return api().call(call); }
  Result<HttpResponse> get() { return call({.path = "/v1/x", .deadline = in(10min), .error = &error}); }
  Result<HttpResponse> post() {
    return call({.method = "POST", .path = "/v1/x", .body = "{}", .deadline = in(10min), .error = &error});
  }
  Deadline in(Duration time) { return Deadline::after(world.now(), time); }
  Api& api() {
    if (!made) made = *Api::make(http, tokens, world.sleeper(), world.random(), options);
    return *made;
  }
  /// Between the attempts.
  std::vector<Duration> waits() const {
    std::vector<Duration> out;
    const auto asked = http.asked();
    for (std::size_t i = 1; i < asked.size(); ++i) out.push_back(asked[i].at - asked[i - 1].at);
    return out;
  }
  sim::World world;
  ScriptedHttp http{world.sleeper()};
  CountingTokens tokens;
  ApiOptions options{.service = "things", .endpoint = "https://things.googleapis.com/"};
  std::unique_ptr<Api> made;
  ApiError error;
};

TEST_F(ApiCalls, carry_token_address_query_and_body) {
  http.then(200, R"({"a":1})");
  tokens.project = "payer";
  const auto reply = call({.method = "POST",
                           .path = "/v1/projects/p",
                           .query = {{"pageSize", "3"}, {"filter", "a=\"b c\""}},
                           .body = R"({"b":2})",
                           .deadline = in(10s),
                           .headers = {{"If-Match", "e1"}}});
  ASSERT_TRUE(reply) << reply.error().text();
  EXPECT_EQ(reply->body, R"({"a":1})");
  const auto asked = http.asked().front();
  EXPECT_EQ(asked.origin, "https://things.googleapis.com");
  EXPECT_EQ(asked.request.method, "POST");
  EXPECT_EQ(asked.request.target, "/v1/projects/p?pageSize=3&filter=a%3D%22b%20c%22");
  EXPECT_EQ(asked.request.body, R"({"b":2})");
  EXPECT_EQ(header(asked.request, "Authorization"), "Bearer t1");
  EXPECT_EQ(header(asked.request, "Content-Type"), "application/json");
  EXPECT_EQ(header(asked.request, "x-goog-user-project"), "payer");
  EXPECT_EQ(header(asked.request, "If-Match"), "e1");
  EXPECT_EQ(asked.deadline.at(), world.now() + 10s);
}

TEST_F(ApiCalls, without_a_token_carry_no_authorization) {
  FixedToken nobody;
  http.then(200);
  const auto open = *Api::make(http, nobody, world.sleeper(), world.random(), options);
  ASSERT_TRUE(open->call({.path = "/v1/x", .deadline = in(1s)}));
  EXPECT_EQ(header(http.last(), "Authorization"), "(none)");
}

TEST_F(ApiCalls, that_meet_rate_limits_in_a_403_are_tried_again_even_as_post) {
  http.then(403, rate_limited).then(429, "").then(200);
  ASSERT_TRUE(post());
  EXPECT_EQ(http.count(), 3u);
}

TEST_F(ApiCalls, that_are_denied_are_not_tried_again) {
  http.then(403, denied).then(200);
  const auto reply = get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().text(), "permission_denied: things: GET /v1/x: 403 PERMISSION_DENIED: no");
  EXPECT_EQ(error.status, "PERMISSION_DENIED");
  EXPECT_EQ(http.count(), 1u);
}

TEST_F(ApiCalls, of_post_are_not_repeated_when_they_may_have_been_done) {
  http.then(503, "").then(200);
  const auto reply = post();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().text(),
            "unavailable: things: POST /v1/x: 503 (it may have been done, so it is not tried again)");
  EXPECT_EQ(http.count(), 1u);
  http.clear();
  http.then(Errc::unavailable, "reset").then(200);
  EXPECT_FALSE(post());
  EXPECT_EQ(http.count(), 1u);
}

TEST_F(ApiCalls, of_post_are_repeated_when_they_are_marked_idempotent) {
  http.then(503, "").then(Errc::unavailable, "reset").then(200);
  ASSERT_TRUE(call({.method = "POST",
                    .path = "/v1/x",
                    .body = "{}",
                    .deadline = in(10min),
                    .idempotency = Idempotency::idempotent}));
  EXPECT_EQ(http.count(), 3u);
}

TEST_F(ApiCalls, that_our_own_limits_refused_are_tried_again_as_nothing_was_sent) {
  http.then(Errc::rejected, "the pool is full").then(200);
  EXPECT_TRUE(post());
  EXPECT_EQ(http.count(), 2u);
}

TEST_F(ApiCalls, wait_with_full_jitter_under_a_ceiling_that_doubles) {
  options.retry.max_attempts = 9;
  http.then(503, "");
  const auto reply = get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().detail(), "things: GET /v1/x: 503 (9 attempts)");
  Duration ceiling = 250ms;
  bool any_below_half = false;
  for (const Duration wait : waits()) {
    EXPECT_GT(wait, 0s);
    EXPECT_LE(wait, std::min<Duration>(ceiling, 20s));
    any_below_half = any_below_half || wait < ceiling / 2;
    ceiling *= 2;
  }
  EXPECT_EQ(waits().size(), 8u);
  EXPECT_TRUE(any_below_half) << "not full jitter";
}

TEST_F(ApiCalls, of_bigquery_wait_at_most_32_seconds_and_until_the_deadline) {
  options.retry = bigquery_retry();
  options.budget = {.ratio = 0.1, .most = 1000};
  http.then(503, "");
  const auto reply = get();
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().detail().ends_with("until the deadline)")) << reply.error().detail();
  Duration longest{};
  for (const Duration wait : waits()) longest = std::max(longest, wait);
  EXPECT_LE(longest, 32s);
  EXPECT_GT(longest, 20s) << "of about 40 waits one is in the upper third";
  EXPECT_LT(http.asked().back().at, http.asked().front().at + 10min);
}

TEST_F(ApiCalls, never_come_back_before_retry_after_or_retry_info) {
  http.then(429, "", {{"Retry-After", "7"}}).then(200);
  ASSERT_TRUE(get());
  EXPECT_GE(waits().at(0), 7s);
  EXPECT_LE(waits().at(0), 7700ms) << "at most 10 % on top";
  http.clear();
  http.then(503, R"({"error":{"status":"UNAVAILABLE","details":[
      {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"11s"}]}})",
            {{"Retry-After", "2"}})
      .then(200);
  ASSERT_TRUE(get());
  EXPECT_GE(waits().at(0), 11s) << "the longer of the two";
}

TEST_F(ApiCalls, ignore_a_retry_after_that_is_no_time) {
  http.then(429, "", {{"Retry-After", "Thu, 32 Jan 2026 00:00:00 GMT"}}).then(200);
  ASSERT_TRUE(get());
  EXPECT_LE(waits().at(0), 250ms);
}

TEST_F(ApiCalls, give_up_at_once_when_asked_to_wait_too_long) {
  http.then(429, "", {{"Retry-After", "61"}}).then(200);
  const auto reply = get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().detail(), "things: GET /v1/x: 429 (it asks to wait 1m1s)");
  EXPECT_EQ(error.retry_after, 61s) << "who called may wait so long";
  http.clear();
  http.then(429, "", {{"Retry-After", "30"}}).then(200);
  const auto late = call({.path = "/v1/x", .deadline = in(20s)});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().detail(), "things: GET /v1/x: 429 (it asks to wait 30s, longer than the deadline lets)");
  EXPECT_EQ(http.count(), 1u);
}

TEST_F(ApiCalls, end_with_their_deadline) {
  options.retry.max_attempts = 100;
  http.then([&](const HttpRequest&) -> Result<HttpResponse> {
    world.advance(300ms);
    return HttpResponse{.status = 503, .headers = {}, .body = ""};
  });
  const Instant began = world.now();
  EXPECT_FALSE(call({.path = "/v1/x", .deadline = in(2s)}));
  EXPECT_LT(world.now(), began + 2300ms);
  for (const auto& asked : http.asked()) EXPECT_EQ(asked.deadline.at(), began + 2s);
}

TEST_F(ApiCalls, tell_each_attempt_its_own_end) {
  http.then(200);
  ASSERT_TRUE(get());
  EXPECT_EQ(http.asked().front().deadline.at(), world.now() + 60s);
}

TEST_F(ApiCalls, share_a_budget_of_retries) {
  http.then(503, "");
  std::size_t attempts = 0;
  for (int i = 0; i < 200; ++i) EXPECT_FALSE(get());
  attempts = http.count();
  // 10 to begin with, and a tenth of a retry a call.
  EXPECT_LE(attempts, 200u + 10u + 20u);
  EXPECT_GE(attempts, 200u + 25u);
  const auto reply = get();
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().detail().ends_with("(the budget for retries is used up)")) << reply.error().detail();
}

TEST_F(ApiCalls, that_meet_a_401_renew_the_token_and_try_once_more) {
  http.then(401, "").then(200);
  ASSERT_TRUE(post()) << "nothing was done, so it may be a POST";
  EXPECT_EQ(tokens.rejected, std::vector<std::string>{"t1"});
  EXPECT_EQ(header(http.last(), "Authorization"), "Bearer t2");
  EXPECT_EQ(waits().at(0), 0s);
  http.clear();
  http.then(401, "");
  const auto reply = get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(errc_name(reply.error().code()), "permission_denied");
  EXPECT_EQ(http.count(), 2u) << "once, not for ever";
}

TEST_F(ApiCalls, whose_token_cannot_be_had_say_why_and_send_nothing) {
  tokens.broken = true;
  http.then(200);
  const auto reply = get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().text(), "permission_denied: things: GET /v1/x: no token: the key was deleted");
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(ApiCalls, that_somebody_stops_end_without_another_attempt) {
  std::stop_source stop;
  http.then([&](const HttpRequest&) -> Result<HttpResponse> {
    stop.request_stop();
    return HttpResponse{.status = 503, .headers = {}, .body = ""};
  });
  EXPECT_FALSE(call({.path = "/v1/x", .deadline = in(10min), .stop = stop.get_token()}));
  EXPECT_EQ(http.count(), 1u);
}

TEST_F(ApiCalls, of_a_path_that_is_none_are_refused) {
  for (const char* path : {"", "v1/x", "/v1/x y", "/v1/x?a=b", "/v1/x\r\nHost: y", "/v1#x"}) {
    const auto reply = call({.path = path, .deadline = in(1s)});
    ASSERT_FALSE(reply) << path;
    EXPECT_EQ(errc_name(reply.error().code()), "invalid_argument");
  }
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(ApiCalls, hand_on_304_but_no_other_redirect) {
  http.then(304, "").then(302, "");
  EXPECT_EQ(get()->status, 304);
  EXPECT_FALSE(get());
}

TEST_F(ApiCalls, need_an_endpoint_that_is_an_origin) {
  for (const char* endpoint :
       {"", "things.googleapis.com", "https://", "https://a/b", "ftp://a", "http://user:pw@host", "http://a b"}) {
    options.endpoint = endpoint;
    const auto none = Api::make(http, tokens, world.sleeper(), world.random(), options);
    ASSERT_FALSE(none) << endpoint;
    EXPECT_EQ(none.error().detail().find("pw"), std::string::npos);
  }
  options.endpoint = "http://127.0.0.1:8085";
  EXPECT_TRUE(Api::make(http, tokens, world.sleeper(), world.random(), options));
}

}  // namespace
}  // namespace serin::google
