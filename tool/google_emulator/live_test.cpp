// Goal: many clients at once are served right, and staged faults reach the wire: a connection that closes without an
// answer, a body that is cut off. Method: the emulator behind our own server on loopback, and threads.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "emulator_under_test.hpp"
#include "serin/beast/http_server.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"

namespace serin::google_emulator {
namespace {

struct Live : testing::Test {
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-google-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    auto made = GoogleEmulator::make({.folder = folder, .project = "p"}, sleeper, random);
    ASSERT_TRUE(made) << made.error().text();
    emulator = *std::move(made);
    auto started = HttpServer::start({}, *emulator, sleeper);
    ASSERT_TRUE(started) << started.error().text();
    server = *std::move(started);
    origin = "http://127.0.0.1:" + std::to_string(server->port());
  }
  void TearDown() override {
    server.reset();
    emulator.reset();
    std::filesystem::remove_all(folder);
  }
  Result<HttpResponse> send(std::string method, std::string target, std::string body = "") {
    return client.send(origin, {.method = std::move(method), .target = std::move(target), .body = std::move(body)},
                       Deadline::after(sleeper.now(), 30s));
  }
  /// All bytes that a connection gets until the server closes it.
  [[nodiscard]] std::string raw(const std::string& request) const {
    const int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string out;
    char buffer[4096];
    if (connect(number, static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address) == 0 &&
        ::send(number, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()))
      for (ssize_t count = 0; (count = recv(number, buffer, sizeof buffer, 0)) > 0;)
        out.append(buffer, static_cast<std::size_t>(count));
    close(number);
    return out;
  }
  PatientSleeper sleeper;
  SystemRandom random;
  http::Session client{sleeper};
  std::string folder;
  std::unique_ptr<GoogleEmulator> emulator;
  std::unique_ptr<HttpServer> server;
  std::string origin;
};

TEST_F(Live, a_staged_close_ends_the_connection_without_a_byte) {
  ASSERT_EQ(send("POST", "/emulator/faults", R"({"path":"/v1/projects/p/topics","close":"before"})")->status, 200);
  EXPECT_EQ(raw("GET /v1/projects/p/topics HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  EXPECT_EQ(send("GET", "/v1/projects/p/topics")->status, 200);
}

TEST_F(Live, a_truncated_body_is_shorter_than_its_head_says) {
  ASSERT_EQ(send("POST", "/emulator/faults", R"({"path":"/projects","truncate":7})")->status, 200);
  const std::string answer = raw("GET /projects HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::size_t head = answer.find("\r\n\r\n");
  ASSERT_NE(head, std::string::npos) << answer;
  EXPECT_EQ(answer.size() - head - 4, 7U) << answer;
  EXPECT_EQ(answer.substr(head + 4), "{\"kind\"");
}

TEST_F(Live, clients_at_once_lose_nothing) {
  const std::string root = "/bigquery/v2/projects/p";
  const auto ask = [&](const std::string& sql, const std::string& id) {
    return send("POST", root + "/queries", "{\"query\":\"" + sql + "\",\"requestId\":\"" + id + "\"}");
  };
  ASSERT_EQ(send("POST", root + "/datasets", R"({"datasetReference":{"datasetId":"d"}})")->status, 200);
  ASSERT_EQ(ask("CREATE TABLE d.t(x INT64)", "")->status, 200);
  ASSERT_EQ(send("PUT", "/v1/projects/p/topics/topic", "{}")->status, 200);
  constexpr int threads = 4;
  constexpr int turns = 15;
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> workers;
    for (int thread = 0; thread < threads; ++thread)
      workers.emplace_back([&, thread] {
        const auto check = [&failed](const Result<HttpResponse>& done) {
          if (!done || done->status != 200) ++failed;
        };
        for (int turn = 0; turn < turns; ++turn) {
          const std::string id = std::to_string(thread) + "-" + std::to_string(turn);
          check(ask("INSERT INTO d.t VALUES (1)", id));
          check(ask("INSERT INTO d.t VALUES (1)", id));  // sent twice, done once
          check(send("POST", "/v1/projects/p/topics/topic:publish", R"({"messages":[{"data":"YQ=="}]})"));
          check(ask("SELECT COUNT(*) FROM d.t", ""));
        }
      });
  }
  EXPECT_EQ(failed, 0);
  const auto count = ask("SELECT COUNT(*) FROM d.t", "");
  ASSERT_TRUE(count);
  EXPECT_NE(count->body.find(R"("v":"60")"), std::string::npos) << count->body;
}

}  // namespace
}  // namespace serin::google_emulator
