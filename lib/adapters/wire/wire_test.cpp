// Goal: what is taken for a plain head is one, and nothing that could be read in two ways is. Method: heads and answers
// as bytes.
#include "serin/wire/wire.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

namespace serin::wire {
namespace {

std::string get(std::string_view fields) { return "GET /ready HTTP/1.1\r\n" + std::string(fields) + "\r\n"; }

TEST(Head, of_a_probe_is_plain) {
  const std::string bytes =
      get("Host: a:80\r\nUser-Agent: kube-probe/1.26\r\nAccept: */*\r\nConnection: Keep-Alive\r\n");
  const std::string more = bytes + "GET /next";
  const auto plain = read_plain_head(more);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->head.method, "GET");
  EXPECT_EQ(plain->head.target, "/ready");
  EXPECT_TRUE(plain->head.is_plain);
  EXPECT_EQ(plain->size, bytes.size()) << "what follows belongs to the next request";
  EXPECT_EQ(read_plain_head("HEAD /a?b=%20c HTTP/1.1\r\n\r\n")->head.target, "/a?b=%20c");
}

TEST(Head, that_is_cut_anywhere_is_none) {
  const std::string bytes = get("Host: a\r\nAccept: */*\r\n");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(read_plain_head(std::string_view(bytes).substr(0, size))) << size;
}

TEST(Head, that_could_ask_for_another_answer_is_not_plain) {
  for (const std::string_view field :
       {"Authorization: Bearer x", "accept: text/html", "Accept: application/health+json, */*", "RANGE: bytes=0-1",
        "If-None-Match: *", "if-modified-since: x", "Connection: close", "Connection: keep-alive, TE",
        "Content-Length: 0", "Content-length: 5", "Transfer-Encoding: chunked", "Expect: 100-continue", "Upgrade: h2c",
        "Cookie: a=b", "TE: trailers", "Proxy-Authorization: x"})
    EXPECT_FALSE(read_plain_head(get(std::string(field) + "\r\n"))) << field;
}

TEST(Head, that_two_parsers_could_read_in_two_ways_is_left_to_the_real_one) {
  for (const std::string& bytes :
       {std::string("GET  / HTTP/1.1\r\n\r\n"), std::string("GET / HTTP/1.0\r\n\r\n"), std::string("GET /\r\n\r\n"),
        std::string("get / HTTP/1.1\r\n\r\n"), std::string("GET http://a/ HTTP/1.1\r\n\r\n"),
        std::string("GET / HTTP/1.1\n\n"), std::string("GET /\xc3\xa9 HTTP/1.1\r\n\r\n"), get("A : b\r\n"),
        get(" folded\r\n"), get("A: b\r\n c\r\n"), get("A: b\n"), get("A: b\rc\r\n"), get("no colon\r\n"),
        get(std::string("A: \0\r\n", 6)), get(": b\r\n")})
    EXPECT_FALSE(read_plain_head(bytes)) << bytes;
}

TEST(Answer, has_the_length_and_says_when_it_is_the_last) {
  HttpResponse response = HttpResponse::text(200, "body");
  response.headers.add("X-Bad", "a\r\nSet-Cookie: b");
  response.headers.add("content-length", "99");
  std::string out;
  append_answer(out, response, {});
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n\r\nbody");
  out.clear();
  append_answer(out, {204, {}, "none"}, {.keep_alive = false});
  EXPECT_EQ(out, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  out.clear();
  append_answer(out, {200, {}, "abc"}, {.head_only = true, .old_keep_alive = true});
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n");
}

TEST(Answer, is_taken_apart_again_and_head_gets_its_head) {
  const std::string_view bytes = "HTTP/1.1 503 Service Unavailable\r\nA: 1\r\nB:2\r\nContent-Length: 4\r\n\r\nbody";
  AnswerReader reader(bytes);
  EXPECT_EQ(reader.status(), 503);
  EXPECT_EQ(reader.body(), "body");
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  while (const auto field = reader.next()) fields.push_back(*field);
  const std::vector<std::pair<std::string_view, std::string_view>> expected{
      {"A", "1"}, {"B", "2"}, {"Content-Length", "4"}};
  EXPECT_EQ(fields, expected);
  EXPECT_EQ(answer_to("HEAD", bytes), bytes.substr(0, bytes.size() - 4));
  EXPECT_EQ(answer_to("GET", bytes), bytes);
  EXPECT_EQ(AnswerReader("HTTP/1.1 200 OK\r\n\r\n").status(), 200);
  EXPECT_EQ(AnswerReader("nonsense\r\n\r\n").status(), 0);
}

struct Later final : HttpHandler {
  bool is_immediate(const HttpRequest&) const noexcept override { return true; }
  HttpResponse handle(const HttpRequest&) override { return HttpResponse::text(200, "now"); }
  bool handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond) override {
    if (request.target == "/later") other = std::jthread([respond] { respond(HttpResponse::text(200, "later")); });
    return request.target != "/now";
  }
  std::jthread other;
};

TEST(Asking, waits_for_an_answer_that_comes_later_and_notices_one_that_never_will) {
  Later handler;
  EXPECT_EQ(ask(handler, {.target = "/now"}).body, "now");
  EXPECT_EQ(ask(handler, {.target = "/later"}).body, "later");
  EXPECT_EQ(ask(handler, {.target = "/forgotten"}).status, 500);
}

}  // namespace
}  // namespace serin::wire
