// Goal: what is decided without any socket: which bytes are an answer, where a redirect leads and with what, who is
// asked without a proxy, which cookies are kept and sent, what is unpacked. Method: tables, and every answer cut into
// pieces at every place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detail_cookies.hpp"
#include "detail_dns.hpp"
#include "detail_inflate.hpp"
#include "detail_parser.hpp"
#include "detail_proxy.hpp"
#include "detail_timer.hpp"
#include "detail_url.hpp"
#include "packed.hpp"
#include "serin/system/environment.hpp"

namespace serin::http {
namespace {

struct Taken final : Receiver {
  Status on_head(HttpResponse head) override {
    response = std::move(head);
    ++heads;
    return {};
  }
  Status on_body(std::string_view piece) override {
    response.body += piece;
    return {};
  }
  HttpResponse response;
  int heads = 0;
};

/// In pieces of that size; true when an answer was complete.
bool parse(std::string_view bytes, std::size_t piece, Taken& taken, bool* reusable = nullptr) {
  Parser parser({.head = 1024});
  parser.begin(taken, false, 1000);
  while (!bytes.empty()) {
    if (!parser.put(bytes.substr(0, piece))) return false;
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  if (reusable != nullptr) *reusable = parser.is_reusable();
  return parser.is_done() || (parser.end() && parser.is_done());
}

TEST(Answers, come_out_the_same_however_they_are_cut_also_in_the_middle_of_the_last_chunk) {
  const std::vector<std::pair<std::string, std::string>> answers{
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\nh\r\n4\r\nello\r\n0\r\nX-T: 1\r\n\r\n", "hello"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "2\r\n\r\nhi",
       "hi"},
      {"HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"HTTP/1.0 200 OK\r\n\r\nuntil the end", "until the end"}};
  for (const auto& [bytes, body] : answers)
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      Taken taken;
      ASSERT_TRUE(parse(bytes, piece, taken)) << bytes << " in pieces of " << piece;
      EXPECT_EQ(taken.response.body, body) << bytes << " in pieces of " << piece;
      EXPECT_EQ(taken.heads, 1);
    }
}

TEST(Answers, that_are_cut_are_not_complete) {
  const std::string whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Taken taken;
    EXPECT_FALSE(parse(whole.substr(0, size), 3, taken)) << size;
  }
}

TEST(Answers, leave_a_connection_for_another_request_only_when_nothing_is_open) {
  const std::vector<std::pair<std::string, bool>> answers{
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", true}};
  for (const auto& [bytes, expected] : answers) {
    Taken taken;
    bool reusable = !expected;
    ASSERT_TRUE(parse(bytes, bytes.size(), taken, &reusable)) << bytes;
    EXPECT_EQ(reusable, expected) << bytes;
  }
}

TEST(Answers, that_are_wrong_or_too_large_are_refused) {
  const auto code = [](const std::string& bytes) {
    Taken taken;
    Parser parser({.head = 1024});
    parser.begin(taken, false, 100);
    const auto result = parser.put(bytes);
    return result ? Errc::internal : result.error().code();
  };
  EXPECT_EQ(code("220 smtp ready\r\n\r\n"), Errc::data_loss);
  EXPECT_EQ(code("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), Errc::data_loss);
  EXPECT_EQ(code("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), Errc::data_loss);
  EXPECT_EQ(code("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"), Errc::exhausted);
  EXPECT_EQ(code("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + std::string(255, 'x')),
            Errc::exhausted);
  EXPECT_EQ(code("HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x')), Errc::exhausted);
  EXPECT_EQ(code("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(2000, 'x')), Errc::exhausted);
  std::string interim;
  for (int i = 0; i < 20; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(code(interim), Errc::data_loss);
}

TEST(Origins, are_equal_when_they_lead_to_the_same_place) {
  const auto name = [](std::string_view text) {
    const auto origin = parse_origin(text);
    return origin ? origin->name : std::string(errc_name(origin.error().code()));
  };
  EXPECT_EQ(name("http://Example.ORG"), "http://example.org:80");
  EXPECT_EQ(name("https://example.org."), "https://example.org:443");
  EXPECT_EQ(name("HTTP://[::1]:8080"), "http://[::1]:8080");
  for (const char* bad :
       {"", "example.org", "ftp://x", "http://", "http://x/", "http://x:0", "http://x:65536", "http://x:", "http://a b",
        "http://u@x", "http://[::1", "http://[x]", "http://::1", "http://x\r\ny"})
    EXPECT_EQ(name(bad), "invalid_argument") << bad;
}

TEST(Redirects, lead_where_a_browser_would_go) {
  const Origin from = parse_origin("http://a.example:8080").value();
  const auto to = [&](std::string_view location) {
    const auto url = resolve(from, "/b/c?d", location);
    return url ? url->origin.name + url->target : std::string(errc_name(url.error().code()));
  };
  const std::string here = "http://a.example:8080";
  EXPECT_EQ(to("/x"), here + "/x");
  EXPECT_EQ(to("x?y"), here + "/b/x?y");
  EXPECT_EQ(to("../x"), here + "/x");
  EXPECT_EQ(to("./../../../x/."), here + "/x/");
  EXPECT_EQ(to("?q=http://z"), here + "/b/c?q=http://z");
  EXPECT_EQ(to("#part"), here + "/b/c?d");
  EXPECT_EQ(to("//other"), "http://other:80/");
  EXPECT_EQ(to("https://other/p#f"), "https://other:443/p");
  EXPECT_EQ(to("https://other?q"), "https://other:443/?q");
  EXPECT_EQ(to("/x:y"), here + "/x:y");
  EXPECT_EQ(to("mailto:x"), "unsupported");
  EXPECT_EQ(to("javascript://x/%0a"), "invalid_argument");
  EXPECT_EQ(to("/a b"), "invalid_argument");
  EXPECT_EQ(to("/a\r\nb"), "invalid_argument");
}

TEST(Redirects, keep_or_change_method_and_body_by_their_status) {
  struct Row {
    int status;
    std::string_view method, after;
    bool keeps;
  };
  for (const Row& row : {Row{301, "GET", "GET", true}, Row{301, "POST", "GET", false}, Row{302, "PUT", "PUT", true},
                         Row{303, "POST", "GET", false}, Row{303, "PUT", "GET", false}, Row{303, "HEAD", "HEAD", false},
                         Row{307, "POST", "POST", true}, Row{308, "PATCH", "PATCH", true}}) {
    const Redirection is = redirection_of(row.status, row.method);
    EXPECT_TRUE(is.follow) << row.status;
    EXPECT_EQ(is.method, row.after) << row.status << row.method;
    EXPECT_EQ(is.keep_body, row.keeps) << row.status << row.method;
  }
  for (const int status : {200, 300, 304, 305, 306, 400}) EXPECT_FALSE(redirection_of(status, "GET").follow) << status;
}

TEST(Redirects, take_no_secret_to_another_origin_and_no_description_of_a_body_that_is_gone) {
  const HttpHeaders all{{"authorization", "secret"}, {"Cookie", "a=1"}, {"Content-Type", "x"}, {"Accept", "y"}};
  const auto names = [](const HttpHeaders& headers) {
    std::string out;
    for (const auto& [name, value] : headers) out += name + " ";
    return out;
  };
  EXPECT_EQ(names(headers_for(all, true, true)), "authorization Cookie Content-Type Accept ");
  EXPECT_EQ(names(headers_for(all, false, true)), "Content-Type Accept ");
  EXPECT_EQ(names(headers_for(all, false, false)), "Accept ");
}

TEST(Messages, that_would_be_two_on_the_wire_are_refused) {
  EXPECT_TRUE(check_message({.target = "/a?b=c%20d"}));
  EXPECT_FALSE(check_message({.method = "GET /x HTTP/1.1\r\n"}));
  EXPECT_FALSE(check_message({.target = "/a b"}));
  EXPECT_FALSE(check_message({.target = "/a\r\nX: y"}));
  EXPECT_FALSE(check_message({.target = "http://x/"}));
  EXPECT_FALSE(check_message({.headers = {{"X", "a\r\nY: b"}}}));
  EXPECT_FALSE(check_message({.headers = {{"X Y", "a"}}}));
  EXPECT_FALSE(check_message({.headers = {{"X:", "a"}}}));
  EXPECT_FALSE(check_message({.headers = {{"", "a"}}}));
  EXPECT_FALSE(check_message({.headers = {{"Transfer-Encoding", "chunked"}}}));
  EXPECT_FALSE(check_message({.method = "CONNECT"}));
}

TEST(NoProxy, names_hosts_domains_ports_and_networks_as_curl_takes_them) {
  struct Row {
    std::string_view none, origin;
    bool direct;
  };
  for (const Row& row : {Row{"", "http://a.example", false},
                         Row{"*", "http://a.example", true},
                         Row{"example.org", "http://example.org", true},
                         Row{"example.org", "http://www.example.org", true},
                         Row{".example.org", "http://example.org", true},
                         Row{"*.example.org", "http://www.example.org", true},
                         Row{"example.org", "http://notexample.org", false},
                         Row{"www.example.org", "http://example.org", false},
                         Row{"a, b ,EXAMPLE.org.", "http://example.ORG", true},
                         Row{"example.org:8080", "http://example.org:8080", true},
                         Row{"example.org:8080", "http://example.org", false},
                         Row{"10.0.0.0/8", "http://10.1.2.3", true},
                         Row{"10.0.0.0/8", "http://11.1.2.3", false},
                         Row{"10.0.0.0/8", "http://10.example.org", false},
                         Row{"10.1.2.0/23", "http://10.1.3.9", true},
                         Row{"127.0.0.1", "http://127.0.0.1:1", true},
                         Row{"127.0.0.1:2", "http://127.0.0.1:1", false},
                         Row{"::1", "http://[::1]:80", true},
                         Row{"[::1]:80", "http://[::1]", true},
                         Row{"fd00::/8", "http://[fd12::1]", true},
                         Row{"fd00::/8", "http://[fe12::1]", false},
                         Row{"0.0.0.1", "http://10.0.0.1", false},
                         Row{"10.0.0.0/x", "http://10.0.0.1", false},
                         Row{",,", "http://x", false}})
    EXPECT_EQ(is_direct(row.none, parse_origin(row.origin).value()), row.direct) << row.none << " " << row.origin;
}

TEST(ProxyEnvironment, lower_case_wins_and_a_client_cannot_set_it_through_cgi) {
  using Map = std::map<std::string, std::string>;
  const Proxies both = proxies_of(Environment(Map{{"http_proxy", "a:1"}, {"HTTP_PROXY", "b:1"}, {"NO_PROXY", "x"}}));
  EXPECT_EQ(both.http, "a:1");
  EXPECT_EQ(both.none, "x");
  EXPECT_EQ(proxies_of(Environment(Map{{"HTTPS_PROXY", "c:1"}})).https, "c:1");
  EXPECT_EQ(proxies_of(Environment(Map{{"HTTP_PROXY", "b:1"}, {"REQUEST_METHOD", "GET"}})).http, "");
  EXPECT_EQ(parse_proxy("http://u:p%40@proxy:3128/").value(),
            (Proxy{.host = "proxy", .port = 3128, .authorization = "Basic dTpwQA=="}));
  EXPECT_EQ(parse_proxy("proxy:3128").value().port, 3128);
  EXPECT_EQ(parse_proxy("https://proxy").error().code(), Errc::unsupported);
  const auto wrong = parse_proxy("http://u:secret@");
  EXPECT_FALSE(wrong.error().detail().contains("secret")) << wrong.error().text();
}

WallTime at(std::string_view text) { return parse_rfc3339(text).value(); }

TEST(CookieDates, are_read_in_the_forms_that_servers_use) {
  const WallTime expected = at("2026-11-06T08:49:37Z");
  for (const char* text : {"Fri, 06 Nov 2026 08:49:37 GMT", "Friday, 06-Nov-26 08:49:37 GMT",
                           "Fri Nov  6 08:49:37 2026", "06 nov 2026 8:49:37", "08:49:37 2026 November 06"})
    EXPECT_EQ(parse_cookie_date(text), expected) << text;
  for (const char* text : {"", "Thu, 32 Jan 2026 00:00:00 GMT", "30 Feb 2026 00:00:00", "06 Nov 2026 24:00:00",
                           "06 Nov 2026", "06 Foo 2026 00:00:00", "06 Nov 1600 00:00:00"})
    EXPECT_FALSE(parse_cookie_date(text)) << text;
}

TEST(Cookies, are_sent_where_they_belong_and_nowhere_else) {
  const WallTime now = at("2026-01-01T00:00:00Z");
  const Origin shop = parse_origin("https://www.shop.example").value();
  CookieJar jar;
  const auto sent = [&](std::string_view origin, std::string_view path, Duration later = 0s) {
    return jar.header(parse_origin(origin).value(), path, now + later);
  };
  jar.take(shop, "/cart/add",
           {{"Set-Cookie", "a=1"},
            {"set-cookie", "b=2; Domain=.Shop.example; Path=/; Secure; HttpOnly"},
            {"Set-Cookie", "c=3; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"},
            {"Set-Cookie", "d=4; Domain=other.example"},
            {"Set-Cookie", "e=5; Domain=example"},
            {"Set-Cookie", "f=6; Domain=op.example"},
            {"Set-Cookie", "__Host-g=7; Path=/x; Secure"},
            {"Set-Cookie", "=8"},
            {"Set-Cookie", "h=9\r\nX: y"}},
           now);
  EXPECT_EQ(sent("https://www.shop.example", "/cart/x"), "a=1; b=2; c=3");
  EXPECT_EQ(sent("https://www.shop.example", "/cart"), "a=1; b=2; c=3");
  EXPECT_EQ(sent("https://www.shop.example", "/cartoon"), "b=2; c=3");
  EXPECT_EQ(sent("https://www.shop.example", "/", 60s), "b=2");
  EXPECT_EQ(sent("https://pay.shop.example", "/cart/"), "b=2");
  EXPECT_EQ(sent("http://www.shop.example", "/"), "c=3") << "b is secure";
  EXPECT_EQ(sent("https://other.example", "/"), "");
  EXPECT_EQ(sent("https://notshop.example", "/"), "");
  jar.take(parse_origin("http://www.shop.example").value(), "/",
           {{"Set-Cookie", "b=evil; Domain=shop.example; Path=/"}}, now);
  EXPECT_EQ(sent("https://pay.shop.example", "/"), "b=2") << "what TLS set, plain HTTP does not replace";
  jar.take(shop, "/", {{"Set-Cookie", "c=; Path=/; Max-Age=0"}}, now);
  EXPECT_EQ(sent("https://www.shop.example", "/"), "b=2");
}

TEST(Cookies, of_one_domain_are_fifty_at_most) {
  const Origin shop = parse_origin("http://shop.example").value();
  CookieJar jar;
  for (int i = 0; i < 60; ++i) jar.take(shop, "/", {{"Set-Cookie", "c" + std::to_string(i) + "=1"}}, {});
  const std::string sent = jar.header(shop, "/", {});
  EXPECT_TRUE(sent.starts_with("c10=1;")) << sent;
  EXPECT_EQ(std::ranges::count(sent, '='), 50);
}

TEST(Unpacking, gives_the_same_in_any_pieces_and_notices_what_is_missing) {
  const std::string text = "hello hello hello hello " + std::string(3000, 'x');
  struct Row {
    const char* name;
    int window;
  };
  for (const Row& row : {Row{"gzip", 31}, Row{"deflate", 15}, Row{"deflate", -15}}) {
    std::string bytes = packed(text, row.window);
    if (row.window == 31) bytes += packed("and more", 31);
    for (std::size_t piece = 1; piece <= bytes.size(); piece += 3) {
      auto inflater = Inflater::of({{"Content-Encoding", row.name}});
      ASSERT_TRUE(inflater);
      std::string out;
      for (std::size_t i = 0; i < bytes.size(); i += piece)
        ASSERT_TRUE(inflater->put(std::string_view(bytes).substr(i, piece), [&](std::string_view part) -> Status {
          out += part;
          return {};
        }));
      EXPECT_EQ(out, row.window == 31 ? text + "and more" : text) << row.name << " in pieces of " << piece;
      EXPECT_TRUE(inflater->end());
    }
    auto cut = Inflater::of({{"Content-Encoding", row.name}});
    ASSERT_TRUE(cut->put(std::string_view(bytes).substr(0, 20), [](std::string_view) { return Status(); }));
    EXPECT_FALSE(cut->end());
  }
  EXPECT_FALSE(Inflater::of({{"Content-Encoding", "br"}}));
  auto garbage = Inflater::of({{"Content-Encoding", "gzip"}});
  EXPECT_EQ(garbage->put("no gzip at all", [](std::string_view) { return Status(); }).error().code(), Errc::data_loss);
}

TEST(Addresses, of_both_families_take_turns) {
  std::vector<Address> given;
  for (const char* text : {"::1", "::2", "::3", "127.0.0.1"}) given.push_back(parse_address(text, 80).value());
  std::string order;
  for (const Address& one : interleaved(given)) order += one.text() + " ";
  EXPECT_EQ(order, "::1 127.0.0.1 ::2 ::3 ");
  EXPECT_TRUE(interleaved({}).empty());
}

TEST(TimersOfALoop, run_in_order_of_time_however_they_were_moved) {
  Timers timers;
  std::vector<int> ran;
  std::vector<std::unique_ptr<Timer>> all;
  for (int i = 0; i < 50; ++i) all.push_back(std::make_unique<Timer>(timers, [&ran, i] { ran.push_back(i); }));
  for (int i = 0; i < 50; ++i) all[static_cast<std::size_t>(i)]->at(Instant(1s * ((i * 37) % 50)));
  for (int i = 0; i < 50; ++i) all[static_cast<std::size_t>(i)]->at(Instant(1s * i));
  all[7].reset();
  all[9]->stop();
  all[20]->at_latest(Instant(500ms));
  all[21]->at_latest(Instant(40s));
  EXPECT_EQ(timers.next(), Instant(0s));
  timers.run(Instant(22s));
  EXPECT_THAT(ran, testing::ElementsAre(0, 20, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22));
  EXPECT_EQ(timers.next(), Instant(23s));
}

}  // namespace
}  // namespace serin::http
