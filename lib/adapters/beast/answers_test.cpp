// Goal: an answer that is prepared costs no request, one that comes later costs no worker, and no way of answering
// mixes up a connection. Method: real sockets, raw bytes, a handler that holds answers back.
#include <fcntl.h>
#include <sys/resource.h>

#include "server_under_test.hpp"

namespace serin {
namespace {

const std::string get = "GET /prepared HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n";

TEST_F(Server, sends_what_is_prepared_as_it_is_and_makes_no_request_of_it) {
  const Raw raw(server->port());
  raw.send(get);
  EXPECT_EQ(raw.receive(1), *handler.small);
  raw.send(get + get);
  EXPECT_EQ(raw.receive(2), *handler.small + *handler.small) << "the connection is kept, and pipelining works";
  EXPECT_EQ(handler.asked, 3);
  EXPECT_EQ(handler.handled, 0);
}

TEST_F(Server, gives_head_only_the_head_of_what_is_prepared) {
  const Raw raw(server->port());
  raw.send("HEAD /prepared HTTP/1.1\r\nHost: x\r\n\r\n" + get);
  const std::string answers = raw.receive(2);
  EXPECT_EQ(answers, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + *handler.small);
}

TEST_F(Server, handles_what_could_ask_for_another_answer_as_a_request) {
  for (const std::string_view field :
       {"Connection: close", "Authorization: Bearer x", "Accept: text/html", "If-None-Match: *", "Content-Length: 0"}) {
    const Raw raw(server->port());
    raw.send("GET /prepared HTTP/1.1\r\nHost: x\r\n" + std::string(field) + "\r\n\r\n");
    EXPECT_TRUE(raw.receive(1).ends_with("\r\n\r\nGET /prepared 0")) << field;
  }
  EXPECT_EQ(handler.asked, 0);
}

TEST_F(Server, keeps_the_order_of_all_kinds_of_answers) {
  const Raw raw(server->port());
  raw.send(get + "GET /later HTTP/1.1\r\nHost: x\r\n\r\n" + get +
           "POST /w HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /fast HTTP/1.1\r\nHost: x\r\n\r\n" + get);
  EXPECT_EQ(raw.receive(1), *handler.small) << "not held back by the one that comes later";
  handler.take_later(1).front()(HttpResponse::text(200, "later 0"));
  const std::string rest = raw.receive(5);
  std::size_t at = 0;
  for (const std::string_view expected : {"later 0", "ready0", "POST /w 3", "GET /fast 0", "ready0"}) {
    at = rest.find(expected, at);
    ASSERT_NE(at, std::string::npos) << expected << " is missing or too early in\n" << rest;
  }
}

TEST_F(Server, reads_a_head_that_comes_byte_by_byte) {
  const Raw raw(server->port());
  const int yes = 1;
  setsockopt(raw.number, IPPROTO_TCP, 1, &yes, sizeof yes);  // TCP_NODELAY
  for (const char byte : get) raw.send(std::string_view(&byte, 1));
  const std::string answer = raw.receive(1);
  EXPECT_TRUE(answer == *handler.small || answer.ends_with("GET /prepared 0")) << answer;
}

TEST_F(Server, reads_a_chunked_body_in_whatever_pieces_it_comes) {
  const std::string head = "POST /w HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view chunks : {"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "1\r\na\r\n0\r\nX: y\r\n\r\n"})
    for (std::size_t cut = 0; cut < chunks.size(); ++cut) {
      // What comes after the cut comes a byte at a time: the server has read the byte before when it answers another.
      const Raw raw(server->port());
      raw.send(head + std::string(chunks.substr(0, cut)));
      for (const char byte : chunks.substr(cut)) {
        const Raw other(server->port());
        other.send(get);
        ASSERT_EQ(other.receive(1), *handler.small);
        raw.send(std::string_view(&byte, 1));
      }
      raw.send("GET / HTTP/1.0\r\n\r\n");
      const std::string size = chunks[0] == '0' ? "0" : std::string(1, chunks[0]);
      EXPECT_NE(raw.receive().find("POST /w " + size), std::string::npos) << chunks << " cut at " << cut;
    }
}

TEST_F(Server, sends_a_large_answer_whole_to_a_slow_reader_and_goes_on) {
  const Raw raw(server->port());
  raw.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n" + get);
  // Nothing is read until the server has long had to stop writing: another client is served meanwhile.
  const Raw other(server->port());
  other.send(get);
  EXPECT_EQ(other.receive(1), *handler.small);
  EXPECT_EQ(raw.receive(2), *handler.huge + *handler.small);
}

TEST_F(Server, cuts_off_who_does_not_take_its_answer) {
  begin({.read_timeout = 1s});
  const Raw raw(server->port());
  raw.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n");
  char byte = 0;
  ASSERT_EQ(recv(raw.number, &byte, 1, 0), 1) << "it has begun";
  EXPECT_TRUE(server->drain(soon())) << "it would wait for ever for the rest to be taken";
}

TEST_F(Server, cuts_off_a_request_that_does_not_get_on) {
  begin({.read_timeout = 1s});
  const Raw head(server->port());
  head.send("GET /prep");
  const Raw body(server->port());
  body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(head.receive(), "");
  EXPECT_EQ(body.receive(), "");
}

TEST_F(Server, asks_for_a_body_that_waits_for_permission) {
  const Raw raw(server->port());
  raw.send("POST /w HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  char bytes[25] = {};
  ASSERT_EQ(recv(raw.number, bytes, sizeof bytes, MSG_WAITALL), 25);
  EXPECT_EQ(std::string_view(bytes, 25), "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("x");
  raw.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(raw.receive(2).find("Connection: keep-alive\r\n"), std::string::npos) << "an old client is told";
}

TEST_F(Server, does_not_reset_who_is_refused_while_it_still_sends) {
  const Raw raw(server->port());
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + std::string(200'000, 'b'));
  EXPECT_TRUE(raw.receive().starts_with("HTTP/1.1 413 "));
}

TEST_F(Server, answers_a_thousand_later_without_a_worker) {
  begin({.workers = 1, .queue = 1});
  std::vector<std::unique_ptr<Raw>> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(std::make_unique<Raw>(server->port()));
    clients.back()->send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  auto answers = handler.take_later(1000);
  // Some clients are gone meanwhile, and one handler answers twice.
  for (int i = 0; i < 100; ++i) clients[static_cast<std::size_t>(i)].reset();
  std::jthread other([&] {
    for (const auto& answer : answers) {
      answer(HttpResponse::text(200, "once 0"));
      answer(HttpResponse::text(200, "twice 0"));
    }
  });
  other.join();
  for (int i = 100; i < 1000; ++i)
    ASSERT_TRUE(clients[static_cast<std::size_t>(i)]->receive(1).ends_with("\r\n\r\nonce 0"));
  EXPECT_EQ(handler.handled, 0);
}

TEST_F(Server, says_so_when_nobody_can_answer_any_more) {
  const Raw raw(server->port());
  raw.send("GET /forgotten HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(raw.receive().starts_with("HTTP/1.1 500 "));
}

TEST_F(Server, waits_in_a_drain_for_answers_that_come_later_but_not_for_ever) {
  const Raw raw(server->port());
  raw.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto answer = handler.take_later(1).front();
  EXPECT_EQ(server->drain(Deadline::after(clock.now(), 20ms)).error().code(), Errc::deadline_exceeded);
  std::jthread answering([&] { answer(HttpResponse::text(200, "late 0")); });
  EXPECT_TRUE(server->drain(soon()));
  EXPECT_NE(raw.receive().find("Connection: close\r\n"), std::string::npos);
}

TEST_F(Server, does_not_mind_an_answer_after_its_end) {
  const Raw raw(server->port());
  raw.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  auto answers = handler.take_later(1);
  server.reset();
  EXPECT_EQ(raw.receive(), "");
  answers.front()(HttpResponse::text(200, "too late"));
}

TEST_F(Server, answers_from_memory_while_every_worker_hangs_and_the_queue_is_full) {
  begin({.workers = 2, .queue = 2});
  std::vector<std::unique_ptr<Raw>> hanging;
  for (int i = 0; i < 5; ++i) {
    hanging.push_back(std::make_unique<Raw>(server->port()));
    hanging.back()->send("GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    if (i == 1) handler.wait_for(2);
  }
  EXPECT_TRUE(hanging.back()->receive().starts_with("HTTP/1.1 503 ")) << "the queue is full";
  const Raw raw(server->port());
  for (int i = 0; i < 100; ++i) {
    raw.send(get);
    ASSERT_EQ(raw.receive(1), *handler.small);
    raw.send("GET /fast HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(raw.receive(1).ends_with("GET /fast 0"));
  }
}

TEST_F(Server, closes_connections_beyond_its_limit_at_once) {
  begin({.max_connections = 2});
  const Raw first(server->port());
  const Raw second(server->port());
  for (const Raw* raw : {&first, &second}) {
    raw->send(get);
    ASSERT_EQ(raw->receive(1), *handler.small);
  }
  const Raw third(server->port());
  EXPECT_TRUE(third.is_closed());
  first.send(get);
  EXPECT_EQ(first.receive(1), *handler.small) << "the others are not concerned";
}

TEST_F(Server, lets_clients_wait_while_there_are_no_descriptors) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const Raw raw(server->port());
  raw.send(get);
  ASSERT_EQ(raw.receive(1), *handler.small);
  const Raw late(-1);  // its descriptor is there, it has not connected yet
  std::vector<int> taken;
  const rlimit few{.rlim_cur = 200, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  for (int number = 0; (number = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken.push_back(number);
  late.connect_to(server->port());  // the kernel greets it, the server cannot
  late.send(get);
  raw.send(get);
  EXPECT_EQ(raw.receive(1), *handler.small) << "who is connected is served, and the server does not spin";
  for (const int number : taken) close(number);
  EXPECT_EQ(late.receive(1), *handler.small);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(Server, that_leaves_serves_on_and_says_goodbye_with_every_answer) {
  const Raw kept(server->port());
  kept.send(get);
  ASSERT_EQ(kept.receive(1), *handler.small);
  server->leave();
  kept.send(get);
  const std::string last = kept.receive();
  EXPECT_TRUE(last.starts_with("HTTP/1.1 200 ")) << last;
  EXPECT_NE(last.find("Connection: close\r\n"), std::string::npos) << last;
  const Raw fresh(server->port());
  fresh.send("GET /fast HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(fresh.receive().find("Connection: close\r\n"), std::string::npos) << "it still listens";
}

TEST_F(Server, that_drains_loses_no_request_that_was_begun) {
  const Raw idle(server->port());
  idle.send(get);
  ASSERT_EQ(idle.receive(1), *handler.small);
  const Raw half(server->port());
  half.send("POST /w HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
  const Raw fresh(server->port());  // connected, about to ask
  std::jthread draining([&] { EXPECT_TRUE(server->drain(soon())); });
  EXPECT_TRUE(idle.is_closed()) << "nothing was begun there";
  fresh.send("GET /fast HTTP/1.1\r\nHost: x\r\n\r\n");
  half.send("cd");
  EXPECT_TRUE(half.receive().ends_with("POST /w 4"));
  EXPECT_TRUE(fresh.receive().ends_with("GET /fast 0"));
}

}  // namespace
}  // namespace serin
