// Goal: a check of the network says what is true, in time, whatever the peer does, and shows no secret.
// Method: real sockets: peers that serve, say nothing, refuse, close; name servers on UDP; HTTP over the real client.
#include <future>

#include "live_peer.hpp"
#include "serin/http/session.hpp"
#include "serin/probes/certificate_check.hpp"
#include "serin/probes/http_check.hpp"
#include "serin/probes/redis_check.hpp"
#include "serin/probes/tcp_check.hpp"
#include "serin/system/files.hpp"

namespace serin::probes {
namespace {

using health::HealthStatus;

/// Answers every connection's first bytes with a text.
std::function<void(int)> always(std::string text) {
  return [text = std::move(text)](int connection) {
    char buffer[4096];
    if (::recv(connection, buffer, sizeof buffer, 0) > 0) ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
  };
}
std::string http(int code, std::string_view body, std::string_view more = "") {
  return "HTTP/1.1 " + std::to_string(code) + " X\r\nConnection: close\r\n" + std::string(more) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
constexpr auto slam = [](int) {};

struct Net : Live {
  http::Session client{clock};
  static std::string url(int port, std::string_view rest = "/health") {
    return "http://127.0.0.1:" + std::to_string(port) + std::string(rest);
  }
};

TEST_F(Net, every_check_is_down_in_time_when_the_peer_is_silent_refuses_or_closes) {
  const LivePeer silent;
  const Refusing refusing;
  const LivePeer closing(slam);
  const auto all = [this](int port) {
    std::vector<std::pair<std::string, Result<health::CheckFunction>>> checks;
    checks.emplace_back("http", http_check({.url = url(port)}, client));
    checks.emplace_back("redis", redis_check({.host = "127.0.0.1", .port = port}, clock));
    checks.emplace_back("tls", certificate_check({.host = "127.0.0.1", .port = port}, clock));
    return checks;
  };
  for (const auto& [name, check] : all(silent.port)) {
    const auto answer = run(check, 150ms);
    EXPECT_EQ(answer.status, HealthStatus::down) << name;
    EXPECT_EQ(answer.reason, "timeout") << name;
  }
  for (const int port : {refusing.port, closing.port})
    for (const auto& [name, check] : all(port)) {
      const auto answer = run(check);
      EXPECT_EQ(answer.status, HealthStatus::down) << name;
      EXPECT_EQ(answer.reason, "unavailable") << name << ": " << answer.error;
    }
}

TEST_F(Net, a_stop_ends_a_wait_at_once_and_is_no_verdict) {
  const LivePeer silent;
  std::stop_source stop;
  for (const auto& check : {redis_check({.host = "127.0.0.1", .port = silent.port}, clock),
                            certificate_check({.host = "127.0.0.1", .port = silent.port}, clock)}) {
    stop = std::stop_source();
    auto answer = std::async(std::launch::async, [&] { return run(check, 30s, stop.get_token()); });
    stop.request_stop();
    ASSERT_EQ(answer.wait_for(std::chrono::seconds(5)), std::future_status::ready);
    EXPECT_EQ(answer.get().status, HealthStatus::unknown);
  }
}

TEST_F(Net, tcp_is_up_where_somebody_accepts_even_when_nobody_speaks) {
  const LivePeer silent;
  const Refusing refusing;
  EXPECT_EQ(run(tcp_check({.host = "127.0.0.1", .port = silent.port}, clock)).status, HealthStatus::up);
  EXPECT_EQ(run(tcp_check({.host = "localhost", .port = silent.port}, clock)).status, HealthStatus::up);
  EXPECT_EQ(run(tcp_check({.host = "127.0.0.1", .port = refusing.port}, clock)).reason, "unavailable");
}

TEST_F(Net, tcp_keeps_its_deadline_when_the_queue_of_the_peer_is_full) {
  std::uint16_t port = 0;
  const int listener = bound(SOCK_STREAM, port);
  ASSERT_EQ(::listen(listener, 0), 0);
  const auto check = tcp_check({.host = "127.0.0.1", .port = port}, clock);
  std::vector<int> fillers;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  for (int i = 0; i < 8; ++i) {
    fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(fillers.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  EXPECT_EQ(run(check, 150ms).reason, "timeout");
  for (const int one : fillers) ::close(one);
  ::close(listener);
}

TEST_F(Net, http_takes_2xx_or_the_codes_named_and_follows_no_redirect) {
  const LivePeer fine(always(http(204, "")));
  const LivePeer moved(always(http(302, "", "Location: /other\r\n")));
  const LivePeer broken(always(http(503, "no")));
  EXPECT_EQ(run(http_check({.url = url(fine.port)}, client)).status, HealthStatus::up);
  EXPECT_EQ(run(http_check({.url = url(moved.port)}, client)).reason, "unexpected_code");
  EXPECT_EQ(moved.connections, 1);
  EXPECT_EQ(run(http_check({.url = url(moved.port), .expected = {302}}, client)).status, HealthStatus::up);
  EXPECT_EQ(run(http_check({.url = url(broken.port)}, client)).error, "answered 503");
}

TEST_F(Net, http_reads_the_body_when_it_is_told_to) {
  const LivePeer ill(always(http(200, R"({"status":"unhealthy"})")));
  const LivePeer poor(always(http(200, R"({"status":"warn"})")));
  const LivePeer mute(always(http(200, "hello")));
  EXPECT_EQ(run(http_check({.url = url(ill.port)}, client)).status, HealthStatus::up) << "not looked at";
  EXPECT_EQ(run(http_check({.url = url(ill.port), .read_health = true}, client)).reason, "peer_unhealthy");
  EXPECT_EQ(run(http_check({.url = url(poor.port), .read_health = true}, client)).status, HealthStatus::degraded);
  EXPECT_EQ(run(http_check({.url = url(mute.port), .read_health = true}, client)).status, HealthStatus::unknown);
  EXPECT_EQ(run(http_check({.url = url(mute.port), .content = "ell"}, client)).status, HealthStatus::up);
  EXPECT_EQ(run(http_check({.url = url(mute.port), .content = "bye"}, client)).reason, "content_missing");
}

TEST_F(Net, http_sends_the_user_info_and_shows_neither_it_nor_the_query) {
  std::promise<std::string> asked;
  const LivePeer peer([&](int connection) {
    char buffer[4096];
    const ssize_t count = ::recv(connection, buffer, sizeof buffer, 0);
    asked.set_value(std::string(buffer, static_cast<std::size_t>(count)));
    const std::string text = http(500, "");
    ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
  });
  const std::string where = "http://me:pa%2Fss@127.0.0.1:" + std::to_string(peer.port) + "/a?token=t0k";
  const std::string text = shown(run(http_check({.url = where}, client)));
  for (const char* secret : {"me:", "pa/ss", "pa%2Fss", "t0k"}) EXPECT_FALSE(text.contains(secret)) << text;
  const std::string request = asked.get_future().get();
  EXPECT_TRUE(request.contains("bWU6cGEvc3M=")) << request;
  EXPECT_TRUE(request.starts_with("GET /a?token=t0k ")) << request;
}

/// A name server: answers with a code, or with one address when the code is 0; says nothing when it is negative.
class NameServer {
 public:
  explicit NameServer(int code) : number_(bound(SOCK_DGRAM, port)) {
    thread_ = std::jthread([this, code](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pollfd waiting{.fd = number_, .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, 20) != 1) continue;
        char buffer[512];
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const ssize_t count = ::recvfrom(number_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (count < 12) continue;
        ++questions;
        if (code < 0) continue;
        std::string answer(buffer, static_cast<std::size_t>(count));
        const bool is_four = answer[answer.size() - 3] == 1;
        answer[2] = '\x81';
        answer[3] = static_cast<char>(code);
        if (code == 0 && is_four) {
          answer[7] = 1;
          answer += std::string("\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x07", 16);
        }
        ::sendto(number_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
      }
    });
  }
  ~NameServer() {
    thread_ = {};
    ::close(number_);
  }
  NameServer(const NameServer&) = delete;
  std::uint16_t port = 0;
  std::atomic<int> questions = 0;

 private:
  int number_;
  std::jthread thread_;
};

struct Dns : Live {
  std::string conf = testing::TempDir() + "serin_resolv_" + std::to_string(::getpid());
  Dns() { EXPECT_TRUE(write_file(conf, "nameserver 127.0.0.1\n")); }
  ~Dns() override { ::unlink(conf.c_str()); }
  [[nodiscard]] Result<health::CheckFunction> look_up(int port, std::size_t at_least = 1) const {
    return dns_check({.host = "db.example", .at_least = at_least, .hosts = "", .resolv_conf = conf, .port = port},
                     clock);
  }
};

TEST_F(Dns, a_name_is_up_when_it_has_as_many_addresses_as_needed) {
  const NameServer server(0);
  const auto answer = run(look_up(server.port));
  EXPECT_EQ(answer.status, HealthStatus::up) << answer.error;
  EXPECT_TRUE(shown(answer).contains("first=10.0.0.7"));
  EXPECT_EQ(run(look_up(server.port, 2)).reason, "too_few_addresses");
}
TEST_F(Dns, a_name_that_does_not_exist_and_a_server_that_cannot_say_are_told_apart) {
  const NameServer none(3);
  const NameServer broken(2);
  const Refusing nobody;  // of TCP: nothing listens on that UDP port
  EXPECT_EQ(run(look_up(none.port)).reason, "not_found");
  EXPECT_EQ(run(look_up(broken.port)).reason, "unavailable");
  EXPECT_EQ(run(look_up(nobody.port)).reason, "unavailable");
}
TEST_F(Dns, a_server_that_says_nothing_costs_the_deadline_and_no_thread) {
  const NameServer silent(-1);
  const auto threads = [] {
    return read_file("/proc/self/status")->substr(read_file("/proc/self/status")->find("Threads:"), 14);
  };
  const std::string before = threads();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(run(look_up(silent.port), 50ms).reason, "timeout");
  EXPECT_EQ(threads(), before);
  EXPECT_GE(silent.questions, 1);
}

}  // namespace
}  // namespace serin::probes
