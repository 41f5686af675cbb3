// Goal: wherever a request is given up, nothing of it stays behind: no connection that is held, no place in a line, and
// the next request is served. Method: a request is stopped at each point that it has; afterwards the counters are at
// rest and another request succeeds.
#include <fstream>

#include "certificates.hpp"
#include "peer.hpp"

namespace serin::http {
namespace {

struct Cancelled : Live {
  /// Longer than a test waits: what is at rest is so because it was given up.
  static constexpr Timeouts patient{.connect = 60s};
  /// \param reached  returns when the request is at the point
  void stop_at(const std::string& what, Session& client, Request request, const std::function<bool()>& reached) {
    std::stop_source stop;
    Later later;
    request.stop = stop.get_token();
    request.deadline.reset();
    client.send_async(std::move(request), later.done());
    ASSERT_TRUE(reached()) << what;
    EXPECT_EQ(later.count(), 0u) << what;
    stop.request_stop();
    const auto answer = later.wait();
    ASSERT_FALSE(answer) << what;
    EXPECT_EQ(answer.error().code(), Errc::cancelled) << what << ": " << answer.error().text();
    EXPECT_TRUE(is_at_rest(client)) << what;
    EXPECT_EQ(later.count(), 1u) << what;
  }
};

TEST_F(Cancelled, before_it_began) {
  const Peer peer(always());
  const auto client = session();
  std::stop_source stop;
  stop.request_stop();
  Request request = get(peer.origin);
  request.stop = stop.get_token();
  EXPECT_EQ(client->send(std::move(request)).error().code(), Errc::cancelled);
  EXPECT_EQ(peer.connections, 0);
}

TEST_F(Cancelled, in_the_line_and_while_it_is_served) {
  Gate arrived;
  const Peer peer([&](Line& line) {
    for (std::string request; !(request = line.request()).empty();) {
      arrived.pass();
      if (request.contains("/hang")) return line.until_closed();
      line.say(ok_answer);
    }
  });
  const auto client = session({.per_origin = 1});
  for (int i = 0; i < 10; ++i) {
    const int before = arrived.count();
    stop_at("no byte of an answer", *client, get(peer.origin, "/hang"), [&] { return arrived.wait(before + 1); });
  }
  Later holder;
  std::stop_source stop;
  Request holding = get(peer.origin, "/hang");
  holding.stop = stop.get_token();
  const int before = arrived.count();
  client->send_async(std::move(holding), holder.done());
  ASSERT_TRUE(arrived.wait(before + 1));
  Later queued;
  std::stop_source leave;
  Request waiting = get(peer.origin);
  waiting.stop = leave.get_token();
  client->send_async(std::move(waiting), queued.done());
  ASSERT_TRUE(becomes([&] { return sum(*client).waiting == 1; }));
  leave.request_stop();
  EXPECT_EQ(queued.wait().error().code(), Errc::cancelled);
  EXPECT_EQ(sum(*client).waiting, 0);
  EXPECT_EQ(sum(*client).leases, 1);
  stop.request_stop();
  EXPECT_EQ(holder.wait().error().code(), Errc::cancelled);
  EXPECT_TRUE(is_at_rest(*client));
  ASSERT_TRUE(client->send(get(peer.origin)));
  EXPECT_GE(sum(*client).closed[static_cast<std::size_t>(CloseReason::cancelled)], 11);
}

TEST_F(Cancelled, while_its_name_is_looked_up) {
  Gate asked;
  Gate open;
  const Peer peer(always());
  const auto client = session({.timeouts = patient, .resolve = [&](const std::string&) {
                                 asked.pass();
                                 static_cast<void>(open.wait(1));
                                 return Result<std::vector<std::string>>({"127.0.0.1"});
                               }});
  const std::string origin = "http://shop.example:" + std::to_string(peer.port);
  stop_at("lookup", *client, get(origin), [&] { return asked.wait(1); });
  open.pass();
  ASSERT_TRUE(client->send(get(origin)));
}

TEST_F(Cancelled, while_it_connects) {
  const int full = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(full, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(full, 0), 0);
  ::getsockname(full, reinterpret_cast<sockaddr*>(&address), &size);
  std::vector<int> fillers;
  for (int i = 0; i < 8; ++i) {
    fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(fillers.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  const auto client = session({.timeouts = patient});
  stop_at("connect", *client, get("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port))),
          [&] { return becomes([&] { return sum(*client).opening == 1; }); });
  for (const int one : fillers) ::close(one);
  ::close(full);
}

TEST_F(Cancelled, in_the_handshake_and_in_a_proxys_tunnel) {
  Gate arrived;
  const Peer silent([&](Line& line) {
    if (line.receive()) arrived.pass();
    line.until_closed();
  });
  const std::string port = std::to_string(silent.port);
  const auto direct = session({.timeouts = patient});
  stop_at("handshake", *direct, get("https://127.0.0.1:" + port), [&] { return arrived.wait(1); });
  const auto tunnelled = session({.timeouts = patient, .proxies = {.https = "127.0.0.1:" + port}});
  stop_at("tunnel", *tunnelled, get("https://shop.example"), [&] { return arrived.wait(2); });
}

TEST_F(Cancelled, in_the_middle_of_a_body_either_way) {
  Gate arrived;
  Gate half;
  const Peer peer([&](Line& line) {
    while (line.got().find("\r\n\r\n") == std::string::npos)
      if (!line.receive()) return;
    arrived.pass();
    if (line.got().starts_with("POST")) {
      // Not read: the body fills every buffer on the way.
      static_cast<void>(half.wait(1));
      return;
    }
    line.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning");
    line.until_closed();
  });
  const auto client = session();
  stop_at("sending", *client, post(peer.origin, std::string(32u << 20, 'x')), [&] { return arrived.wait(1); });
  half.pass();
  Gate piece;
  Request reading = get(peer.origin);
  reading.sink = [&](const HttpResponse&, std::string_view) {
    piece.pass();
    return Status();
  };
  stop_at("reading", *client, std::move(reading), [&] { return piece.wait(1); });
}

TEST_F(Cancelled, while_a_second_connection_is_opened_for_it) {
  // The first connection dies with the request on it, and nobody lets the second one in to its handshake.
  Folder folder;
  const Authority authority;
  authority.write(folder.path / "ca.pem");
  const auto context = authority.server(authority.issue("DNS:localhost"));
  Gate again;
  std::atomic<SSL_CTX*> tls = context.get();
  const Peer peer([&](Line& line) {
    if (line.count > 1) {
      if (line.receive()) again.pass();
      return line.until_closed();
    }
    SSL* ssl = SSL_new(tls);
    SSL_set_fd(ssl, line.number());
    if (SSL_accept(ssl) == 1) {
      char buffer[4096];
      for (int i = 0; i < 2; ++i)
        if (SSL_read(ssl, buffer, sizeof buffer) > 0 && i == 0)
          SSL_write(ssl, ok_answer.data(), static_cast<int>(ok_answer.size()));
    }
    SSL_free(ssl);
  });
  const auto client = session({.timeouts = patient, .tls = {.ca_file = (folder.path / "ca.pem").string()}});
  const std::string origin = "https://localhost:" + std::to_string(peer.port);
  ASSERT_TRUE(client->send(get(origin)));
  stop_at("reopening", *client, get(origin), [&] { return again.wait(1); });
  EXPECT_EQ(sum(*client).resends, 1);
}

TEST_F(Cancelled, from_any_thread_at_any_moment) {
  const Peer peer(always());
  const auto client = session({.per_origin = 2});
  for (int i = 0; i < 300; ++i) {
    std::stop_source stop;
    Request request = get(peer.origin);
    request.stop = stop.get_token();
    const std::jthread killer([&] {
      for (int spin = 0; spin < i % 60; ++spin) std::this_thread::yield();
      stop.request_stop();
    });
    const auto answer = client->send(std::move(request));
    if (!answer) ASSERT_EQ(answer.error().code(), Errc::cancelled) << answer.error().text();
  }
  EXPECT_TRUE(is_at_rest(*client));
  EXPECT_TRUE(client->send(get(peer.origin)));
}

}  // namespace
}  // namespace serin::http
