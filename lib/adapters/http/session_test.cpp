// Goal: the client's deadline holds against any server, and nothing is sent twice that could take effect twice.
// Method: servers on raw sockets that misbehave on purpose.
#include "serin/http/session.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "serin/system/clock.hpp"

namespace serin {
namespace {

/// Hands every connection to a script; ends with the object.
class Misbehaving {
 public:
  explicit Misbehaving(std::function<void(int connection, int number)> script)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), script_(std::move(script)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 64), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    origin = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
        if (poll(&waiting, 1, 50) != 1) continue;
        const int connection = accept(listener_, nullptr, nullptr);
        script_(connection, ++connections);
        close(connection);
      }
    });
  }
  ~Misbehaving() {
    thread_ = {};
    close(listener_);
  }
  std::string origin;
  std::atomic<int> connections = 0;

 private:
  int listener_;
  std::function<void(int, int)> script_;
  std::jthread thread_;
};

std::string read_request(int connection) {
  std::string got;
  char buffer[4096];
  while (got.find("\r\n\r\n") == std::string::npos) {
    const ssize_t count = recv(connection, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    got.append(buffer, static_cast<std::size_t>(count));
  }
  return got;
}
void reply(int connection, std::string_view bytes) { send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Client : testing::Test {
  [[nodiscard]] Deadline soon(Duration wait = 10s) const { return Deadline::after(clock.now(), wait); }
  SystemClock clock;
  http::Session client{clock};
};

TEST_F(Client, the_deadline_holds_against_a_server_that_never_answers) {
  const Misbehaving silent([](int connection, int) {
    read_request(connection);
    char byte = 0;
    [[maybe_unused]] const auto end = recv(connection, &byte, 1, 0);  // until the client gives up
  });
  const Instant before = clock.now();
  const auto answer = client.send(silent.origin, {}, soon(100ms));
  EXPECT_EQ(answer.error().code(), Errc::deadline_exceeded) << answer.error().text();
  EXPECT_LT(clock.now() - before, 2s);
}

TEST_F(Client, a_stop_ends_a_send_at_once_wherever_it_is_and_the_client_serves_the_next) {
  std::atomic<bool> answer_now = false;
  std::atomic<int> arrived = 0;
  const Misbehaving silent([&](int connection, int) {
    read_request(connection);
    ++arrived;
    arrived.notify_all();
    if (answer_now) return reply(connection, ok);
    char byte = 0;
    [[maybe_unused]] const auto end = recv(connection, &byte, 1, 0);  // until the client gives up
  });
  std::stop_source before;
  before.request_stop();
  EXPECT_EQ(client.send(silent.origin, {}, soon(), before.get_token()).error().code(), Errc::cancelled);
  EXPECT_EQ(arrived, 0) << "nothing was sent";
  for (int i = 0; i < 20; ++i) {
    std::stop_source stop;
    const std::jthread killer([&, i] {
      arrived.wait(i);
      stop.request_stop();
    });
    const Instant began = clock.now();
    const auto answer = client.send(silent.origin, {}, soon(60s), stop.get_token());
    ASSERT_EQ(answer.error().code(), Errc::cancelled) << answer.error().text();
    ASSERT_LT(clock.now() - began, 20s);
  }
  answer_now = true;
  EXPECT_TRUE(client.send(silent.origin, {}, soon()).has_value());
}

TEST_F(Client, a_connection_is_kept_and_one_that_died_meanwhile_is_not_used) {
  const Misbehaving twice([](int connection, int) {
    read_request(connection);
    reply(connection, ok);
    read_request(connection);
    reply(connection, ok);
  });
  for (int i = 0; i < 4; ++i) {
    const auto answer = client.send(twice.origin, {.method = "POST", .body = "x"}, soon());
    ASSERT_TRUE(answer) << i << ": " << answer.error().text();
    EXPECT_EQ(answer->body, "ok");
    // The close after the second answer must have arrived before the look at the connection.
    if (i == 1)
      for (const Instant until = clock.now() + 5s; clock.now() < until && twice.connections < 2;) {
        const auto other = http::Session(clock).send(twice.origin, {}, soon(200ms));
        break;
      }
  }
  EXPECT_LE(twice.connections, 4);
}

TEST_F(Client, a_post_is_never_sent_twice_a_get_once_more_on_a_fresh_connection) {
  std::atomic<int> requests = 0;
  const Misbehaving closing([&](int connection, int number) {
    // The first connection answers once and then reads a second request and closes without a word.
    if (!read_request(connection).empty()) ++requests;
    reply(connection, ok);
    if (number == 1 && !read_request(connection).empty()) ++requests;
  });
  ASSERT_TRUE(client.send(closing.origin, {}, soon()));
  EXPECT_EQ(client.send(closing.origin, {.method = "POST", .body = "pay"}, soon()).error().code(), Errc::unavailable);
  EXPECT_EQ(requests, 2) << "the POST arrived once";
  EXPECT_TRUE(client.send(closing.origin, {}, soon()));
}

TEST_F(Client, what_is_no_http_is_data_loss_and_what_is_cut_is_unavailable) {
  const Misbehaving garbage([](int connection, int) {
    read_request(connection);
    reply(connection, "220 smtp ready\r\n\r\n");
  });
  EXPECT_EQ(client.send(garbage.origin, {}, soon()).error().code(), Errc::data_loss);
  const Misbehaving cut([](int connection, int) {
    read_request(connection);
    reply(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  EXPECT_EQ(client.send(cut.origin, {}, soon()).error().code(), Errc::unavailable);
}

TEST_F(Client, refuses_what_it_cannot_do) {
  EXPECT_EQ(client.send("ftp://x", {}, soon()).error().code(), Errc::invalid_argument);
  EXPECT_EQ(client.send("http://127.0.0.1:1", {}, soon()).error().code(), Errc::unavailable);
  HttpRequest split;
  split.headers.set("X", "a\r\nY: b");
  EXPECT_EQ(client.send("http://127.0.0.1:1", split, soon()).error().code(), Errc::invalid_argument);
}

TEST_F(Client, an_answer_over_the_limit_is_refused) {
  const Misbehaving large([](int connection, int) {
    read_request(connection);
    reply(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'x'));
  });
  const auto small = http::Session::make({.body_limit = 1000}, clock).value();
  EXPECT_EQ(small->send(large.origin, {}, soon()).error().code(), Errc::exhausted);
}

}  // namespace
}  // namespace serin
