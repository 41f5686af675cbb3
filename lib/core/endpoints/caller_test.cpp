// Goal: who is known is who should be, and what a caller wishes is understood. Method: tables.
#include "serin/endpoints/caller.hpp"

#include <gtest/gtest.h>

#include "address.hpp"
#include "serin/base/text.hpp"
#include "wishes.hpp"

namespace serin::endpoints {
namespace {

bool knows(const Authenticator& authenticator, const std::string& header, std::string peer = "10.0.0.7") {
  HttpRequest request{.peer = std::move(peer)};
  if (!header.empty()) request.headers.set("Authorization", header);
  return authenticator.who(request).has_value();
}

TEST(Caller, with_a_bearer_key_is_known_by_exactly_that_key) {
  const Authenticator key = bearer("sesame").value();
  EXPECT_TRUE(knows(key, "Bearer sesame"));
  EXPECT_TRUE(knows(key, "bearer  sesame ")) << "the scheme has no case";
  for (const std::string header : {"", "Bearer", "Bearer ", "Bearer sesam", "Bearer sesamee", "Bearer sesamesesame",
                                   "Bearer Sesame", "Basic sesame", "sesame"})
    EXPECT_FALSE(knows(key, header)) << header;
  EXPECT_FALSE(bearer("")) << "everybody would have it";
  EXPECT_TRUE(key.reads_only_authorization);
}

TEST(Caller, with_a_password_is_known_by_name) {
  const Authenticator who = basic("bob", "a:b").value();
  HttpRequest request{.headers = {{"Authorization", "Basic " + base64_encode("bob:a:b")}}};
  ASSERT_TRUE(who.who(request));
  EXPECT_EQ(who.who(request)->name, "bob");
  for (const std::string text : {"bob:a", "bob", "", "bob:a:b:", "eve:a:b"})
    EXPECT_FALSE(knows(who, "Basic " + base64_encode(text))) << text;
  EXPECT_FALSE(knows(who, "Basic bob:a:b"));
  EXPECT_FALSE(basic("bob", ""));
  EXPECT_FALSE(basic("b:ob", "x"));
}

TEST(Caller, from_an_allowed_network_is_known) {
  const Authenticator who = address_list({"10.0.0.0/8", "192.168.1.7", "fd00::/8", "::1"}).value();
  for (const std::string peer : {"10.0.0.7", "10.255.255.255", "192.168.1.7", "fd12::1", "::1", "::ffff:10.1.2.3"})
    EXPECT_TRUE(knows(who, "", peer)) << peer;
  for (const std::string peer :
       {"11.0.0.1", "192.168.1.8", "fe80::1", "::2", "", "10.0.0", "10.0.0.7:80", "x", "::ffff:11.1.2.3"})
    EXPECT_FALSE(knows(who, "", peer)) << peer;
  for (const std::string text : {"10.0.0.1/8", "10.0.0.0/33", "::1/129", "x", "", "10.0.0.0/", "1.2.3.4/08"})
    EXPECT_FALSE(address_list({text})) << text;
  EXPECT_FALSE(who.reads_only_authorization);
}

TEST(Caller, is_known_by_any_of_several) {
  const Authenticator both = any_of({bearer("a").value(), {}, basic("u", "p").value()});
  EXPECT_TRUE(knows(both, "Bearer a"));
  EXPECT_TRUE(knows(both, "Basic " + base64_encode("u:p")));
  EXPECT_FALSE(knows(both, "Bearer b"));
  EXPECT_TRUE(both.reads_only_authorization);
  EXPECT_FALSE(any_of({bearer("a").value(), address_list({"::1"}).value()}).reads_only_authorization);
  EXPECT_FALSE(knows(any_of({}), "Bearer a"));
}

TEST(Address, is_read_in_all_of_its_forms) {
  const auto same = [](std::string_view a, std::string_view b) {
    const auto left = parse_address(a);
    return left && left == parse_address(b);
  };
  EXPECT_TRUE(same("1.2.3.4", "::ffff:1.2.3.4"));
  EXPECT_TRUE(same("::ffff:102:304", "1.2.3.4"));
  EXPECT_TRUE(same("1::", "1:0:0:0:0:0:0:0"));
  EXPECT_TRUE(same("fe80::1%eth0", "FE80::1"));
  EXPECT_TRUE(same("::", "0:0:0:0:0:0:0.0.0.0"));
  for (const std::string_view text :
       {"", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7::8", "12345::", "g::", "1.2.3",
        "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4::", "::1.2.3"})
    EXPECT_FALSE(parse_address(text)) << text;
}

TEST(Accept, gives_the_dialect_that_fits_best) {
  struct Row {
    std::string_view accept;
    Dialect expected;
    Dialect preferred = Dialect::native;
  };
  using enum Dialect;
  for (const Row& row : {Row{"", native},
                         Row{"*/*", native},
                         Row{"application/json", native},
                         Row{"text/plain", kubernetes},
                         Row{"TEXT/Plain", kubernetes},
                         Row{"application/health+json", health_json},
                         Row{"application/vnd.spring-boot.actuator.v3+json", actuator},
                         Row{"text/plain;version=0.0.4", prometheus},
                         Row{"text/*", kubernetes},
                         Row{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", native},
                         Row{"application/json, text/plain, */*", native},
                         Row{"application/health+json, */*", health_json},
                         Row{"application/health+json;q=0.5, application/json", native},
                         Row{"application/health+json;q=0.5, application/json;q=0.4", health_json},
                         Row{"application/json;q=0, */*", health_json},
                         Row{"image/png", native},
                         Row{";;,,=", native},
                         Row{"text/plain;q=2, application/json", native},
                         Row{"text/plain;q=nan", native},
                         Row{"*/*", kubernetes, kubernetes},
                         Row{"image/png", kubernetes, kubernetes},
                         Row{"application/json", native, kubernetes},
                         Row{"application/json", microprofile, microprofile},
                         Row{"*/*", aspnet_word, aspnet_word},
                         Row{"text/plain", aspnet_word, aspnet_word},
                         Row{"application/json", native, aspnet_word}})
    EXPECT_EQ(negotiate(row.accept, row.preferred), row.expected) << row.accept;
}

TEST(Query, is_verbose_and_excludes_each_name_once) {
  const auto query = parse_query("/ready?exclude=a&verbose&exclude=b%2Fc&exclude=a&exclude=&x=1&exclude").value();
  EXPECT_TRUE(query.verbose);
  EXPECT_EQ(query.exclude, (std::vector<std::string>{"a", "b/c"}));
  EXPECT_FALSE(parse_query("/ready").value().verbose);
  EXPECT_FALSE(parse_query("/ready?verbose=false").value().verbose);
  EXPECT_TRUE(parse_query("/ready?verbose=true").value().verbose);
  std::string many = "/ready?";
  for (int i = 0; i < 65; ++i) many += "exclude=" + std::to_string(i) + "&";
  EXPECT_FALSE(parse_query(many));
  EXPECT_FALSE(parse_query("/ready?exclude=" + std::string(257, 'x')));
}

}  // namespace
}  // namespace serin::endpoints
