// Goal: a suite is read strictly, and a selection that is empty is an error. Method: small files, every mistake by its
// place.
#include "serin/smoke/suite.hpp"

#include <gtest/gtest.h>

namespace serin::smoke {
namespace {

constexpr const char* whole = R"(version: 1
environments:
  staging: {orders: "https://orders.example.org"}
secrets:
  key: {environment: ORDERS_KEY}
retry: {for: 10s, most: 1s}
tests:
  - name: it is up
    service: orders
    tags: [health]
    get: /health
    expect: {status: [200, 204], json: {/status: ok, /n: ">= 3"}, within: 500ms}
  - name: an order is made and found
    service: orders
    retry: {for: 0s}
    steps:
      - post: /orders
        headers: {Authorization: "Bearer ${secret:key}"}
        json: '{"item": 1}'
        expect: {status: 201}
        capture: {id: /id, place: "header:Location"}
      - get: /orders/${id}
        expect: {present: [/item], contains: item, matches: "^\\{"}
)";

std::string mistakes(const std::string& text) {
  const auto suite = parse_suite(text, "s.yaml");
  return suite ? "none" : suite.error().detail();
}

TEST(Suite, is_read_whole) {
  const auto suite = parse_suite(whole, "s.yaml");
  ASSERT_TRUE(suite) << suite.error().text();
  EXPECT_EQ(suite->environments.at("staging").at("orders"), "https://orders.example.org");
  EXPECT_EQ(suite->secrets.at("key").environment, "ORDERS_KEY");
  ASSERT_EQ(suite->tests.size(), 2u);
  const smoke::Test& up = suite->tests[0];
  EXPECT_EQ(up.patience.deadline, Duration(10s));
  EXPECT_EQ(up.steps.at(0).expect.statuses, (std::vector<int>{200, 204}));
  EXPECT_EQ(up.steps.at(0).expect.json.at(0).relation, ">=");
  EXPECT_EQ(up.steps.at(0).expect.json.at(1).value, "ok");
  EXPECT_EQ(up.steps.at(0).expect.within, Duration(500ms));
  const smoke::Test& order = suite->tests[1];
  EXPECT_EQ(order.patience.deadline, Duration(0s)) << "its own instead of the file's";
  EXPECT_EQ(order.patience.most, Duration(1s)) << "what it does not say is the file's";
  ASSERT_EQ(order.steps.size(), 2u);
  EXPECT_EQ(order.steps[0].method, "POST");
  EXPECT_EQ(order.steps[0].headers.back().second, "application/json");
  EXPECT_EQ(order.steps[1].service, "orders");
  EXPECT_EQ(order.steps[1].line, 22);
}

TEST(Suite, names_every_mistake_with_its_place) {
  const std::string head = "tests:\n  - {name: a, service: x, ";
  EXPECT_EQ(mistakes("tests: []\n"), "s.yaml:1:8: there is no test in this file");
  EXPECT_NE(mistakes(head + "get: health}\n").find("s.yaml:2:32: 'health' must begin with '/'"), std::string::npos)
      << mistakes(head + "get: health}\n");
  for (const auto& [rest, words] : {
           std::pair{"get: /a, post: /b}", "exactly one of get, head, post"},
           std::pair{"expect: {status: 200}}", "exactly one of get"},
           std::pair{"get: /a, expect: {status: 20}}", "100 to 599"},
           std::pair{"get: /a, expect: {json: {status: ok}}}", "a JSON pointer"},
           std::pair{"get: /a, expect: {matches: '('}}", "no regular expression"},
           std::pair{"get: /a, expect: {stauts: 200}}", "status"},
           std::pair{"get: /a, headers: {K: '${secret:none}'}}", "not under secrets"},
           std::pair{"get: /a, retry: {for: -1s}}", "for"},
           std::pair{"get: /a, capture: {x: y}}", "neither a JSON pointer nor header:NAME"},
           std::pair{"get: /a, expect: {within: 0s}}", "above 0"},
       })
    EXPECT_NE(mistakes(head + rest + "\n").find(words), std::string::npos) << rest << "\n"
                                                                           << mistakes(head + rest + "\n");
  EXPECT_NE(mistakes("tests:\n  - {name: a, get: /}\n").find("service is missing"), std::string::npos);
  EXPECT_NE(mistakes(head + "get: /}\n  - {name: a, service: x, get: /}\n").find("two tests 'a'"), std::string::npos);
  EXPECT_NE(mistakes("environments: {e: {x: orders}}\n" + head + "get: /}\n").find("http://"), std::string::npos);
}

TEST(Suite, an_empty_selection_is_an_error_that_says_what_there_is) {
  const Suite suite = parse_suite(whole, "s.yaml").value();
  EXPECT_EQ(choose(suite, {})->size(), 2u);
  EXPECT_EQ(choose(suite, {.services = {"orders"}})->size(), 2u);
  EXPECT_EQ(choose(suite, {.tags = {"health"}})->at(0)->name, "it is up");
  EXPECT_EQ(choose(suite, {.names = {"an order is made and found"}})->size(), 1u);
  const auto none = choose(suite, {.services = {"order"}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Errc::invalid_argument);
  EXPECT_NE(none.error().detail().find("services orders, with tags health"), std::string::npos) << none.error().text();
}

}  // namespace
}  // namespace serin::smoke
