// Goal: a test passes only by what was seen; what could not be found out is unknown; no report holds a secret. Method:
// a scripted HTTP client, the world's time.
#include "serin/smoke/run.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "serin/sim/world.hpp"
#include "serin/smoke/report.hpp"

namespace serin::smoke {
namespace {

class Scripted final : public HttpClient {
 public:
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline, std::stop_token) override {
    asked.push_back(request.method + " " + std::string(origin) + request.target);
    last = request;
    if (answers.empty()) return fail(Errc::unavailable, "refused");
    auto answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    return answer;
  }
  std::deque<Result<HttpResponse>> answers;
  std::vector<std::string> asked;
  HttpRequest last;
};

class Run : public testing::Test {
 protected:
  TestResult play(const std::string& test) {
    const auto suite =
        parse_suite("secrets: {key: {environment: K}}\ntests:\n  - {name: a, service: x, " + test + "}\n", "s.yaml");
    EXPECT_TRUE(suite) << suite.error().text();
    return suite ? run_test(suite->tests.front(), with, http, world.sleeper()) : TestResult{};
  }
  void answer(int status, std::string body = "{}", HttpHeaders headers = {}) {
    http.answers.push_back(HttpResponse{.status = status, .headers = std::move(headers), .body = std::move(body)});
  }
  sim::World world;
  Scripted http;
  Surroundings with{.origins = {{"x", "http://h:1"}}, .variables = {{"who", "me"}}, .secrets = {{"key", "hunter22"}}};
};

TEST_F(Run, compares_status_headers_json_body_and_time) {
  answer(200, R"({"status":"ok","n":3,"share":0.5,"list":[{"a":true}]})", {{"Content-Type", "application/json"}});
  for (const char* good :
       {"get: /a", "get: /a, expect: {status: [404, 200]}", "get: /a, expect: {headers: {content-type: json}}",
        "get: /a, expect: {json: {/status: ok, /n: '3', /share: '0.50', /list/0/a: 'true'}}",
        "get: /a, expect: {json: {/n: '> 2', /share: '<= 0.5', /status: '~ ^o.$'}}",
        "get: /a, expect: {json: {/status: '!= down'}, present: [/list/0]}",
        "get: /a, expect: {contains: list, matches: '\"n\":\\d'}", "get: /a, expect: {within: 1s}"})
    EXPECT_EQ(play(good).outcome, Outcome::pass) << good << ": " << play(good).steps.back().said;
  for (const auto& [bad, said] :
       {std::pair{"get: /a, expect: {status: 404}", "status is 200, expected 404"},
        std::pair{"get: /a, expect: {headers: {content-type: xml}}", "header content-type is 'application/json'"},
        std::pair{"get: /a, expect: {headers: {etag: x}}", "header etag is missing"},
        std::pair{"get: /a, expect: {json: {/n: '> 3'}}", "/n is 3, expected > 3"},
        std::pair{"get: /a, expect: {json: {/m: '3'}}", "there is nothing at /m"},
        std::pair{"get: /a, expect: {present: [/list/1]}", "there is nothing at /list/1"},
        std::pair{"get: /a, expect: {contains: nope}", "'nope' is not in the body"},
        std::pair{"get: /a, expect: {matches: '^x'}", "does not match ^x"}}) {
    const TestResult result = play(bad);
    EXPECT_EQ(result.outcome, Outcome::fail) << bad;
    EXPECT_NE(result.steps.at(0).said.find(said), std::string::npos) << bad << ": " << result.steps.at(0).said;
  }
}

TEST_F(Run, chains_requests) {
  answer(201, R"({"id":7})");
  answer(200, R"({"id":7})");
  const TestResult result =
      play("steps: [{post: '/orders?by=${who}', expect: {status: 201}, capture: {id: /id}}, {get: '/orders/${id}'}]");
  EXPECT_EQ(result.outcome, Outcome::pass) << result.steps.back().said;
  EXPECT_EQ(http.asked, (std::vector<std::string>{"POST http://h:1/orders?by=me", "GET http://h:1/orders/7"}));
  http.asked.clear();
  http.answers.clear();
  answer(500);
  EXPECT_EQ(play("steps: [{get: /a}, {get: /b}]").steps.size(), 1u) << "what comes after a failure is not asked";
  answer(200);
  const TestResult lost = play("get: '/${nobody}'");
  EXPECT_EQ(lost.outcome, Outcome::unknown);
  EXPECT_NE(lost.steps.at(0).said.find("${nobody} is not known"), std::string::npos);
}

TEST_F(Run, is_tried_again_until_its_deadline_and_no_longer) {
  http.answers.push_back(fail(Errc::unavailable, "refused"));
  answer(503);
  answer(200);
  const Instant began = world.now();
  const TestResult late = play("get: /a, retry: {for: 10s, first: 100ms}");
  EXPECT_EQ(late.outcome, Outcome::pass);
  EXPECT_EQ(late.steps.at(0).tries, 3);
  EXPECT_EQ(world.now() - began, Duration(300ms)) << "100 ms, 200 ms";
  http.answers.clear();
  answer(503);
  const Instant second = world.now();
  const TestResult never = play("get: /a, retry: {for: 5s, first: 1s, most: 1s}");
  EXPECT_EQ(never.outcome, Outcome::fail);
  EXPECT_LE(world.now() - second, Duration(5s));
  EXPECT_EQ(never.steps.at(0).tries, 5);
  http.answers.clear();
  EXPECT_EQ(play("get: /a").outcome, Outcome::fail) << "nobody there";
}

TEST_F(Run, what_tells_of_us_and_not_of_the_service_is_unknown) {
  answer(401);
  EXPECT_EQ(play("get: /a, retry: {for: 10s}").outcome, Outcome::unknown);
  EXPECT_EQ(http.asked.size(), 1u) << "asking again does not help";
  EXPECT_EQ(play("get: /a, expect: {status: 401}").outcome, Outcome::pass) << "that is what was asked for";
  with.secrets.clear();
  const TestResult missing = play("get: /a, headers: {Authorization: 'Bearer ${secret:key}'}");
  EXPECT_EQ(missing.outcome, Outcome::unknown);
  EXPECT_NE(missing.steps.at(0).said.find("${secret:key}"), std::string::npos);
  with.origins.clear();
  const TestResult nowhere = play("get: /a");
  EXPECT_EQ(nowhere.outcome, Outcome::unknown);
  EXPECT_NE(nowhere.steps.at(0).said.find("--url x="), std::string::npos);
}

TEST_F(Run, no_secret_is_told_even_when_the_service_repeats_it) {
  answer(500, R"({"you_sent":"hunter22 dXNlcjpodW50ZXIyMg=="})");
  const TestResult result = play("get: '/a?key=${secret:key}', basic: 'user:${secret:key}'");
  EXPECT_EQ(http.last.target, "/a?key=hunter22");
  EXPECT_EQ(http.last.headers.find("Authorization"), "Basic dXNlcjpodW50ZXIyMg==");
  const Report report{.file = "s.yaml", .tests = {result}};
  for (const std::string& text : {report_text(report), report_json(report), report_junit(report), report_github(report),
                                  report_markdown(report), report_html(report)}) {
    EXPECT_EQ(text.find("hunter22"), std::string::npos) << text;
    EXPECT_EQ(text.find("dXNlcjpodW50ZXIyMg"), std::string::npos) << text;
    EXPECT_NE(text.find("status is 500"), std::string::npos) << text;
  }
}

TEST_F(Run, a_report_passes_only_when_all_passed_and_something_ran) {
  const TestResult good{.name = "a", .service = "x", .outcome = Outcome::pass};
  TestResult bad{.name = "b <&>", .service = "x", .outcome = Outcome::fail, .line = 7};
  bad.steps.push_back(
      {.outcome = Outcome::fail, .request = "GET /", .said = "100% wrong,\nreally", .tries = 2, .line = 8});
  const TestResult unsure{.name = "c", .service = "x", .outcome = Outcome::unknown};
  EXPECT_EQ(outcome_of({.tests = {good}}), Outcome::pass);
  EXPECT_EQ(outcome_of({.tests = {good, unsure}}), Outcome::unknown);
  EXPECT_EQ(outcome_of({.tests = {good, unsure, bad}}), Outcome::fail);
  EXPECT_EQ(outcome_of({}), Outcome::unknown) << "nothing ran";
  const Report all{.file = "a,b.yaml", .environment = "staging", .tests = {good, unsure, bad}};
  EXPECT_NE(report_github(all).find(
                "::error file=a%2Cb.yaml,line=8,title=fail b <&>::GET /: 100%25 wrong,%0Areally (2 tries)\n"),
            std::string::npos)
      << report_github(all);
  EXPECT_NE(report_junit(all).find(R"(tests="3" failures="1" errors="1")"), std::string::npos);
  EXPECT_NE(report_junit(all).find(R"(name="b &lt;&amp;&gt;")"), std::string::npos);
  EXPECT_NE(report_text(all).find("a,b.yaml:8: GET /"), std::string::npos) << report_text(all);
}

}  // namespace
}  // namespace serin::smoke
