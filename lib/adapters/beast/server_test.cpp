// Goal: the server keeps HTTP's rules and its own bounds. Method: real sockets; raw bytes where a client would be too
// polite.
#include "server_under_test.hpp"

namespace serin {
namespace {

TEST_F(Server, answers_and_keeps_the_connection) {
  const Raw raw(server->port());
  raw.send(
      "GET /a?b=1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /fast "
      "HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answers = raw.receive(3);
  const std::size_t first = answers.find("GET /a?b=1 0");
  const std::size_t second = answers.find("POST /c 3");
  const std::size_t third = answers.find("GET /fast 0");
  EXPECT_TRUE(first < second && second < third && third != std::string::npos) << "pipelined requests in order\n"
                                                                              << answers;
}

TEST_F(Server, head_gets_the_length_and_no_body) {
  const Raw raw(server->port());
  raw.send("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = raw.receive();
  EXPECT_NE(answer.find("Content-Length: 9\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(Server, nonsense_is_400_too_much_is_413_and_431_and_the_connection_ends) {
  const auto answer_to = [&](const std::string& bytes) {
    const Raw raw(server->port());
    raw.send(bytes);
    return raw.receive().substr(0, 12);
  };
  EXPECT_EQ(answer_to("this is no HTTP\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nX: " + std::string(20000, 'a') + "\r\n\r\n"), "HTTP/1.1 431");
  EXPECT_EQ(answer_to("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"), "HTTP/1.1 413");
}

TEST_F(Server, busy_workers_do_not_delay_immediate_answers_and_a_full_queue_says_so) {
  begin({.workers = 2, .queue = 2});
  std::vector<std::jthread> clients;
  http::Session client(clock);
  std::atomic<int> overloaded = 0;
  const auto ask = [&] {
    const auto answer = client.send(origin, {.target = "/slow"}, Deadline::after(clock.now(), 60s));
    if (answer && answer->status == 503) ++overloaded;
  };
  for (int i = 0; i < 2; ++i) clients.emplace_back(ask);
  handler.wait_for(2);
  // Both workers are held. Of eight more, two wait in the queue and six are turned away at once.
  for (int i = 0; i < 8; ++i) clients.emplace_back(ask);
  while (overloaded < 6) {
    const auto fast = client.send(origin, {.target = "/fast"}, soon());
    ASSERT_TRUE(fast) << fast.error().text();
    ASSERT_EQ(fast->status, 200);
  }
  handler.open();
  clients.clear();
  EXPECT_EQ(overloaded, 6);
}

TEST_F(Server, drain_lets_what_runs_finish_and_takes_nothing_new) {
  http::Session client(clock);
  Result<HttpResponse> answer = fail(Errc::internal, "not asked");
  std::jthread asking([&] { answer = client.send(origin, {.target = "/slow"}, Deadline::after(clock.now(), 60s)); });
  handler.wait_for(1);
  EXPECT_EQ(server->drain(Deadline::after(clock.now(), 20ms)).error().code(), Errc::deadline_exceeded);
  http::Session other(clock);
  EXPECT_EQ(other.send(origin, {.target = "/fast"}, soon()).error().code(), Errc::unavailable);
  handler.open();
  EXPECT_TRUE(server->drain(soon()));
  asking.join();
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 200);
}

TEST_F(Server, a_taken_port_is_a_conflict_that_names_the_address) {
  const auto second = HttpServer::start({.port = server->port()}, handler, clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::conflict);
  EXPECT_NE(second.error().detail().find(std::to_string(server->port())), std::string::npos) << second.error().text();
}

TEST_F(Server, an_idle_connection_is_closed) {
  begin({.idle_timeout = 1s});
  const Raw raw(server->port());
  EXPECT_EQ(raw.receive(), "") << "closed without a word";
}

TEST_F(Server, many_connections_at_once_all_get_their_answer) {
  std::vector<std::jthread> clients;
  std::atomic<int> good = 0;
  for (int i = 0; i < 16; ++i)
    clients.emplace_back([&, i] {
      http::Session client(clock);
      for (int k = 0; k < 100; ++k) {
        const auto answer = client.send(
            origin, {.method = "POST", .target = "/w", .body = std::string(static_cast<std::size_t>(i * 37 + k), 'x')},
            soon());
        if (answer && answer->body == "POST /w " + std::to_string(i * 37 + k)) ++good;
      }
    });
  clients.clear();
  EXPECT_EQ(good, 1600);
}

}  // namespace
}  // namespace serin
