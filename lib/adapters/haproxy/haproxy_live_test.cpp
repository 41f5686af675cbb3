// Goal: a real HAProxy does what the router says, exactly, and the counter sees every request. Method: HAProxy on
// loopback before servers that answer with their name, or 500.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <map>
#include <mutex>

#include "serin/base/text.hpp"
#include "serin/beast/http_server.hpp"
#include "serin/haproxy/access_log.hpp"
#include "serin/haproxy/log_receiver.hpp"
#include "serin/haproxy/render.hpp"
#include "serin/haproxy/router.hpp"
#include "serin/haproxy/traffic_counter.hpp"
#include "serin/http/session.hpp"
#include "serin/process/process.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/files.hpp"

namespace serin {
namespace {

struct Named final : HttpHandler {
  Named(std::string text, int code) : name(std::move(text)), status(code) {}
  bool is_immediate(const HttpRequest&) const noexcept override { return true; }
  HttpResponse handle(const HttpRequest&) override { return HttpResponse::text(status, name); }
  std::string name;
  std::atomic<int> status;
};

/// A named server with its handler.
struct Backend {
  Backend(std::string name, int status, const Clock& clock) : handler(std::move(name), status) {
    server = HttpServer::start({}, handler, clock).value();
  }
  [[nodiscard]] std::string address() const { return fmt::format("127.0.0.1:{}", server->port()); }
  Named handler;
  std::unique_ptr<HttpServer> server;
};

std::string temporary_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "serin-ha-XXXXXX").string();
  return mkdtemp(pattern.data());
}

class Live : public testing::Test {
 protected:
  void SetUp() override {
    const std::string config =
        haproxy::render({.socket = folder + "/s",
                         .log_port = receiver->port(),
                         .services = {{.name = service, .listen = fmt::format("127.0.0.1:{}", port)}}});
    ASSERT_TRUE(write_file(folder + "/c.cfg", config));
    const auto spawned = spawn({.command = {"haproxy", "-db", "-f", folder + "/c.cfg"}, .output = folder + "/out"});
    ASSERT_TRUE(spawned) << spawned.error().text();
    process = *spawned;
    // It listens a moment after it started; there is nothing to wait on but asking.
    while (!router.read(service, soon())) ASSERT_TRUE(is_running(process)) << read_file(folder + "/out").value_or("");
    ASSERT_TRUE(router.reconcile(service, {{"v1-0", v1.address(), true}, {"v2-0", v2.address(), true}}, soon()));
  }
  void TearDown() override {
    if (process.pid > 0 && send_signal(process, SIGKILL)) {
      siginfo_t info{};
      waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED);
    }
    std::filesystem::remove_all(folder);
  }
  Deadline soon() { return Deadline::after(clock.now(), 5s); }
  std::map<std::string, int> ask(int times) {
    std::map<std::string, int> answers;
    for (int i = 0; i < times; ++i) {
      const auto answer = client.send(fmt::format("http://127.0.0.1:{}", port), {.target = "/x"}, soon());
      ++answers[answer ? fmt::format("{} {}", answer->status, answer->body) : answer.error().text()];
    }
    asked += times;
    std::unique_lock lock(mutex);
    EXPECT_TRUE(arrived.wait_for(lock, 10s, [&] { return lines >= asked; })) << lines << " lines of " << asked;
    return answers;
  }
  static Split split(double percent) {
    return {{ReleaseName::make("v1").value(), 100 - percent}, {ReleaseName::make("v2").value(), percent}};
  }

  SystemClock clock;
  const ServiceName service = ServiceName::make("shop").value();
  const std::string folder = temporary_folder();
  const std::uint16_t port = free_port().value();
  haproxy::TrafficCounter counter{{"shop"}};
  std::mutex mutex;
  std::condition_variable arrived;
  int lines = 0;  // guarded by mutex
  int asked = 0;
  std::unique_ptr<haproxy::LogReceiver> receiver = haproxy::LogReceiver::start(0, [this](std::string_view line) {
                                                     counter.add(line, 1);
                                                     // HAProxy also tells of servers that come and go.
                                                     if (!haproxy::parse_access_line(line)) return;
                                                     const std::lock_guard lock(mutex);
                                                     ++lines;
                                                     arrived.notify_all();
                                                   }).value();
  ProcessId process;
  Split saved;
  HaproxyRouter router{{.socket = folder + "/s",
                        .lock_file = folder + "/lock",
                        .load_split = [this](const ServiceName&) -> Result<Split> { return saved; },
                        .save_split = [this](const ServiceName&, const Split& split) -> Status {
                          saved = split;
                          return {};
                        }},
                       clock};
  http::Session client{clock};
  Backend v1{"v1", 200, clock};
  Backend v2{"v2", 200, clock};
};

TEST_F(Live, shares_are_exact_and_read_back) {
  for (const double percent : {0.0, 5.0, 50.0, 95.0, 100.0, 5.0, 0.0}) {
    ASSERT_TRUE(router.apply(service, split(percent), soon()));
    EXPECT_EQ(router.read(service, soon()).value(), split(percent));
    std::map<std::string, int> answers = ask(200);
    EXPECT_NEAR(answers["200 v2"], 2 * percent, 2) << percent << " %";
    EXPECT_EQ(answers["200 v1"] + answers["200 v2"], 200) << "no request is lost when the split changes";
  }
}

TEST_F(Live, every_request_is_counted_under_the_release_that_answered) {
  ASSERT_TRUE(router.apply(service, split(50), soon()));
  v2.handler.status = 503;
  std::map<std::string, int> answers = ask(100);
  EXPECT_NEAR(answers["503 v2"], 50, 2) << "an application's 503 is not retried elsewhere";
  const TrafficSecond second = counter.close(1).services.at("shop");
  ASSERT_EQ(second.counts.size(), 2u);
  EXPECT_EQ(second.counts[0].requests, answers["200 v1"]);
  EXPECT_EQ(second.counts[0].errors, 0);
  EXPECT_EQ(second.counts[1].requests, answers["503 v2"]);
  EXPECT_EQ(second.counts[1].errors, answers["503 v2"]);
  for (const TrafficCount& count : second.counts)
    EXPECT_EQ(count.latency.value().requests(), count.requests) << "how long each of them took is known";
}

TEST_F(Live, connections_to_a_replica_are_kept_between_requests) {
  ASSERT_TRUE(router.apply(service, split(50), soon()));
  ask(100);
  const std::string table = router.socket().ask("show stat shop 4 -1", soon()).value();
  std::vector<std::string> lines;
  for (const std::string_view line : serin::split(table, '\n')) lines.emplace_back(line);
  const auto titles = serin::split(lines.at(0), ',');
  const auto column = static_cast<std::size_t>(std::ranges::find(titles, "connect") - titles.begin());
  int servers = 0;
  for (const std::string& line : lines) {
    if (!line.starts_with("shop,v")) continue;
    ++servers;
    EXPECT_LE(std::stoi(std::string(serin::split(line, ',').at(column))), 4) << "connections for 50 requests\n" << line;
  }
  EXPECT_EQ(servers, 2) << table;
}

TEST_F(Live, a_dead_replica_fails_nobody_and_is_still_blamed) {
  ASSERT_TRUE(router.apply(service, split(50), soon()));
  ASSERT_TRUE(router.socket().statistics(soon()));
  counter.sample(router.socket().statistics(soon()).value(), 1);
  v2.server.reset();
  const std::map<std::string, int> answers = ask(40);
  EXPECT_EQ(answers, (std::map<std::string, int>{{"200 v1", 40}})) << "redispatched";
  counter.sample(router.socket().statistics(soon()).value(), 1);
  const TrafficSecond second = counter.close(1).services.at("shop");
  ASSERT_EQ(second.counts.size(), 2u);
  EXPECT_GE(second.counts[1].hidden, 20) << "v2 failed its half, whoever answered then";
  EXPECT_EQ(second.counts[1].errors, second.counts[1].hidden);
  EXPECT_EQ(second.counts[0].latency.value().requests(), 40);
  EXPECT_EQ(second.counts[1].latency.value().requests(), 0) << "who answered nothing took no time for it";
}

TEST_F(Live, servers_come_move_and_go_without_a_failed_request) {
  ASSERT_TRUE(router.apply(service, split(50), soon()));
  Backend next("v2", 200, clock);
  ASSERT_TRUE(router.reconcile(service, {{"v1-0", v1.address(), true}, {"v2-0", next.address(), true}}, soon()));
  v2.server.reset();
  EXPECT_NEAR(ask(40)["200 v2"], 20, 2) << "a replica that was restarted has another port";
  ASSERT_TRUE(router.reconcile(service, {{"v1-0", v1.address(), true}, {"v2-0", next.address(), false}}, soon()));
  EXPECT_EQ(ask(40)["200 v1"], 40) << "out of rotation";
  EXPECT_EQ(router.read(service, soon()).value(), split(50)) << "its share is kept for when it is back";
  EXPECT_EQ(router.reconcile(service, {{"v1-0", v1.address(), true}}, soon()).value(), 0);
  EXPECT_EQ(router.servers(service, soon())->size(), 1u);
}

TEST_F(Live, what_does_not_exist_is_said) {
  const auto unknown = router.read(ServiceName::make("nobody").value(), soon());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), Errc::not_found) << unknown.error().text();
  const Status release = router.apply(service, {{ReleaseName::make("v9").value(), 100}}, soon());
  ASSERT_FALSE(release);
  EXPECT_EQ(release.error().code(), Errc::not_found) << release.error().text();
  EXPECT_FALSE(router.apply(service, {{ReleaseName::make("v1").value(), 50}}, soon())) << "half of nothing";
  static_cast<void>(send_signal(process, SIGKILL));
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED | WNOWAIT);
  const auto dead = router.read(service, soon());
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code(), Errc::unavailable) << dead.error().text();
}

}  // namespace
}  // namespace serin
