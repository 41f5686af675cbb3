// Goal: over TLS nobody but the right server is talked to, sessions are resumed, and names are looked up without
// keeping anybody waiting. Method: an authority made by the test, servers with right and wrong certificates, and a
// resolver of the test's own.
#include "certificates.hpp"
#include "peer.hpp"

namespace serin::http {
namespace {

struct OverTls : Live {
  OverTls() { authority.write(ca()); }
  [[nodiscard]] std::string ca() const { return (folder.path / "ca.pem").string(); }
  [[nodiscard]] SessionOptions trusting() const { return {.tls = {.ca_file = ca()}}; }
  static std::string local(const Peer& peer) { return "https://localhost:" + std::to_string(peer.port); }
  Folder folder;
  Authority authority;
};

TEST_F(OverTls, a_request_goes_to_the_named_server_and_connections_are_kept) {
  for (const int version : {0, TLS1_2_VERSION}) {
    const auto context = authority.server(authority.issue("DNS:localhost,IP:127.0.0.1"), false, version);
    const Peer peer(always(answer_of(std::string(100'000, 'x'))), context.get());
    const auto client = session(trusting());
    for (const std::string& origin : {local(peer), peer.origin})
      for (int i = 0; i < 3; ++i) {
        const auto answer = client->send(post(origin, std::string(200'000, 'y')));
        ASSERT_TRUE(answer) << answer.error().text();
        EXPECT_EQ(answer->response.body.size(), 100'000u);
        EXPECT_EQ(answer->trip.reused, i != 0);
      }
    EXPECT_EQ(peer.connections, 2);
    EXPECT_EQ(sum(*client).handshakes, 2);
    EXPECT_TRUE(is_at_rest(*client));
  }
}

TEST_F(OverTls, who_cannot_prove_its_name_gets_nothing) {
  const Authority stranger;
  struct Row {
    const char* what;
    ServerContext context;
  };
  std::vector<Row> rows;
  rows.push_back({"another host", authority.server(authority.issue("DNS:example.org"))});
  rows.push_back({"another address", authority.server(authority.issue("IP:127.0.0.9"))});
  rows.push_back({"expired", authority.server(authority.issue("DNS:localhost", -7200, -3600))});
  rows.push_back({"not yet", authority.server(authority.issue("DNS:localhost", 3600, 7200))});
  rows.push_back({"an authority nobody knows", stranger.server(stranger.issue("DNS:localhost"))});
  for (const Row& row : rows) {
    std::atomic<int> requests = 0;
    const Peer peer(
        [&](Line& line) {
          if (!line.request().empty()) ++requests;
        },
        row.context.get());
    const auto client = session(trusting());
    const auto answer = client->send(get(local(peer)));
    ASSERT_FALSE(answer) << row.what;
    EXPECT_EQ(answer.error().code(), Errc::permission_denied) << row.what << ": " << answer.error().text();
    EXPECT_TRUE(answer.error().detail().contains("certificate")) << answer.error().text();
    EXPECT_EQ(requests, 0) << row.what;
    EXPECT_EQ(sum(*client).failed, 1);
    EXPECT_TRUE(is_at_rest(*client));
    SessionOptions careless = trusting();
    careless.tls.verify = false;
    static_cast<void>(session(careless)->send(get(local(peer))));
    EXPECT_EQ(requests, 1) << "the server was there to be asked";
  }
}

TEST_F(OverTls, a_second_connection_resumes_the_session_of_the_first) {
  for (const int version : {0, TLS1_2_VERSION}) {
    const auto context = authority.server(authority.issue("DNS:localhost"), false, version);
    const Peer peer(
        [](Line& line) {
          if (!line.request().empty()) line.say(answer_of("ok", "Connection: close\r\n"));
        },
        context.get());
    const auto client = session(trusting());
    for (int i = 0; i < 4; ++i) {
      const auto answer = client->send(get(local(peer)));
      ASSERT_TRUE(answer) << answer.error().text();
      EXPECT_EQ(answer->trip.resumed, i != 0) << i;
    }
    EXPECT_EQ(sum(*client).resumed, 3);
    EXPECT_EQ(peer.resumed, 3);
  }
}

TEST_F(OverTls, a_server_that_asks_is_shown_our_certificate) {
  const auto context = authority.server(authority.issue("DNS:localhost"), true);
  const Peer peer(always(), context.get());
  const auto without = session(trusting())->send(get(local(peer)));
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code(), Errc::unavailable) << without.error().text();
  const Authority::Issued ours = authority.issue("DNS:client");
  Authority::write_certificate(folder.path / "own.pem", *ours.certificate);
  Authority::write_key(folder.path / "own.key", *ours.key);
  SessionOptions options = trusting();
  options.tls.certificate_file = (folder.path / "own.pem").string();
  options.tls.key_file = (folder.path / "own.key").string();
  const auto with = session(options)->send(get(local(peer)));
  ASSERT_TRUE(with) << with.error().text();
}

TEST_F(OverTls, files_that_are_wrong_are_known_at_once) {
  std::ofstream(folder.path / "empty.pem") << "nothing\n";
  EXPECT_EQ(Session::make({.tls = {.ca_file = "/nowhere/ca.pem"}}, clock).error().code(), Errc::not_found);
  EXPECT_EQ(Session::make({.tls = {.ca_file = (folder.path / "empty.pem").string()}}, clock).error().code(),
            Errc::invalid_argument);
  const Authority::Issued one = authority.issue("DNS:a");
  const Authority::Issued two = authority.issue("DNS:b");
  Authority::write_certificate(folder.path / "a.pem", *one.certificate);
  Authority::write_key(folder.path / "b.key", *two.key);
  EXPECT_EQ(Session::make({.tls = {.certificate_file = (folder.path / "a.pem").string(),
                                   .key_file = (folder.path / "b.key").string()}},
                          clock)
                .error()
                .code(),
            Errc::invalid_argument);
  EXPECT_EQ(Session::make({.per_origin = 0}, clock).error().code(), Errc::invalid_argument);
}

TEST_F(OverTls, an_end_without_a_goodbye_is_no_end_of_an_answer) {
  const auto context = authority.server(authority.issue("DNS:localhost"));
  const Peer peer(
      [](Line& line) {
        if (line.request().empty()) return;
        line.say("HTTP/1.1 200 OK\r\n\r\nhalf of it");
        ::shutdown(line.number(), SHUT_RDWR);  // no close_notify
      },
      context.get());
  const auto answer = session(trusting())->send(get(local(peer)));
  ASSERT_FALSE(answer) << answer->response.body;
  EXPECT_EQ(answer.error().code(), Errc::unavailable) << answer.error().text();
}

TEST_F(OverTls, what_does_not_speak_tls_is_unavailable_and_what_says_nothing_is_given_up_in_time) {
  const Peer plain(always());
  const Peer silent([](Line& line) { line.until_closed(); });
  const auto client = session({.timeouts = {.connect = 100ms}});
  EXPECT_EQ(client->send(get("https://127.0.0.1:" + std::to_string(silent.port))).error().code(),
            Errc::deadline_exceeded);
  const Peer rude([](Line& line) {
    line.receive();
    line.say("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  EXPECT_EQ(client->send(get("https://127.0.0.1:" + std::to_string(rude.port))).error().code(), Errc::unavailable);
  EXPECT_TRUE(is_at_rest(*client));
}

struct Names : Live {};

TEST_F(Names, any_number_of_requests_at_once_look_a_name_up_once_and_remember_it) {
  const Peer peer(always());
  std::atomic<int> lookups = 0;
  Gate open;
  const auto client = session({.dns_ttl = 300ms, .resolve = [&](const std::string& host) {
                                 EXPECT_EQ(host, "shop.example");
                                 ++lookups;
                                 static_cast<void>(open.wait(1));
                                 return Result<std::vector<std::string>>({"127.0.0.1"});
                               }});
  const std::string origin = "http://shop.example:" + std::to_string(peer.port);
  Later later;
  for (int i = 0; i < 10; ++i) client->send_async(get(origin), later.done());
  ASSERT_TRUE(becomes([&] { return sum(*client).opening == 10; }));
  open.pass();
  for (std::size_t i = 1; i <= 10; ++i) ASSERT_TRUE(later.wait(i)) << later.wait(i).error().text();
  EXPECT_EQ(lookups, 1);
  Request closing = get(origin);
  closing.message.headers.set("Connection", "close");
  ASSERT_TRUE(becomes([&] { return client->send(closing).has_value() && lookups == 2; })) << "until it is old";
}

TEST_F(Names, a_lookup_that_hangs_keeps_nobody_else_waiting_and_a_deadline_ends_the_wait) {
  const Peer peer(always());
  Gate open;
  Gate asked;
  const auto client = session({.resolve = [&](const std::string&) -> Result<std::vector<std::string>> {
    asked.pass();
    static_cast<void>(open.wait(1));
    return fail(Errc::unavailable, "no such name");
  }});
  Later later;
  Request slow = get("http://slow.example");
  slow.deadline = soon(150ms);
  client->send_async(std::move(slow), later.done());
  ASSERT_TRUE(asked.wait(1));
  EXPECT_TRUE(client->send(get(peer.origin)));
  EXPECT_EQ(later.wait().error().code(), Errc::deadline_exceeded) << later.wait().error().text();
  EXPECT_TRUE(is_at_rest(*client));
  open.pass();
  const auto unknown = client->send(get("http://other.example"));
  EXPECT_EQ(unknown.error().code(), Errc::unavailable);
  EXPECT_TRUE(unknown.error().detail().contains("no such name")) << unknown.error().text();
}

TEST_F(Names, the_system_knows_localhost) {
  const Peer peer(always());
  Session plain(clock);
  const auto answer = plain.send("http://localhost:" + std::to_string(peer.port), {}, soon());
  ASSERT_TRUE(answer) << answer.error().text();
}

TEST_F(Names, an_address_that_does_not_answer_is_overtaken_by_the_next_one) {
  // A listener whose queue is full lets nobody in, and does not say so.
  const int full = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, "127.0.0.2", &address.sin_addr);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(full, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(full, 0), 0);
  ::getsockname(full, reinterpret_cast<sockaddr*>(&address), &size);
  std::vector<int> fillers;
  for (int i = 0; i < 8; ++i) {
    fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(fillers.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  const Peer peer(always(), nullptr, "127.0.0.1", ntohs(address.sin_port));
  const auto client = session({.eyeballs = 50ms, .resolve = [](const std::string&) {
                                 return Result<std::vector<std::string>>({"127.0.0.2", "127.0.0.1"});
                               }});
  const std::string origin = "http://shop.example:" + std::to_string(peer.port);
  const Instant began = clock.now();
  const auto answer = client->send(get(origin));
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_GE(clock.now() - began, 50ms) << "the first one had its head start";
  EXPECT_LT(clock.now() - began, 3s);
  // One that refuses costs no head start at all.
  const Peer other(always());
  const auto quick = session({.eyeballs = 10s, .resolve = [](const std::string&) {
                                return Result<std::vector<std::string>>({"127.0.0.3", "::1", "127.0.0.1"});
                              }});
  const Instant then = clock.now();
  ASSERT_TRUE(quick->send(get("http://shop.example:" + std::to_string(other.port))));
  EXPECT_LT(clock.now() - then, 5s);
  for (const int one : fillers) ::close(one);
  ::close(full);
}

}  // namespace
}  // namespace serin::http
