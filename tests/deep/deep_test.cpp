// Goal: a deep probe takes about as long as its longest check and costs each dependency one call, however many ask; a
// hung check delays no probe of liveness. Method: a real server on loopback, checks of 50 ms, 1000 connections at once.
// The figures are printed.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "serin/beast/http_server.hpp"
#include "serin/health/health.hpp"
#include "serin/http/session.hpp"
#include "serin/service/service.hpp"
#include "serin/sim/world.hpp"
#include "serin/system/clock.hpp"

namespace serin {
namespace {

constexpr Duration check_takes = 50ms;

/// Ends many waits on one thread: checks that answer later, as those of an asynchronous client do.
class Timers {
 public:
  explicit Timers(Sleeper& sleeper) : sleeper_(sleeper) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  void after(Duration wait, std::function<void()> work) {
    const std::scoped_lock lock(mutex_);
    due_.emplace(sleeper_.now() + wait, std::move(work));
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<std::function<void()>> ready;
      {
        const std::scoped_lock lock(mutex_);
        while (!due_.empty() && due_.begin()->first <= sleeper_.now()) {
          ready.push_back(std::move(due_.begin()->second));
          due_.erase(due_.begin());
        }
      }
      for (const auto& work : ready) work();
      static_cast<void>(sleeper_.sleep_for(1ms));
    }
  }
  Sleeper& sleeper_;
  std::mutex mutex_;
  std::multimap<Instant, std::function<void()>> due_;  // guarded by mutex_
  std::jthread thread_;
};

struct DeepProbe : testing::Test {
  /// `count` checks of 50 ms that run only when somebody asks.
  void checks(int count) {
    health = health::Health::make({}, clock).value();
    for (int i = 0; i < count; ++i) {
      const Status added = health->add_async({.name = fmt::format("check{}", i), .every = {}, .ttl = 10s},
                                             [this](const health::CheckContext&, const auto& done) {
                                               ++runs;
                                               timers.after(check_takes, [done] { done(health::CheckAnswer::pass()); });
                                             });
      ASSERT_TRUE(added) << added.error().text();
    }
    service = Service::make({.identity = {.service = "deep"}}, *health, metrics, Logger(world.log()), clock).value();
    server = HttpServer::start({.workers = 2, .queue = 4}, *service, clock).value();
    origin = fmt::format("http://127.0.0.1:{}", server->port());
  }
  /// How long one probe takes, and that it is whole and well.
  Duration probe(std::string_view path) {
    const Instant began = clock.now();
    const auto answer = client.send(origin, {.target = std::string(path)}, Deadline::after(began, 10s));
    EXPECT_TRUE(answer) << answer.error().text();
    if (answer) EXPECT_EQ(answer->status, 200) << answer->body;
    return clock.now() - began;
  }
  void TearDown() override {
    server.reset();
    service.reset();
    health.reset();
  }
  PatientSleeper clock;
  sim::World world;
  metrics::Registry metrics;
  Timers timers{clock};
  std::atomic<int> runs = 0;
  http::Session client{clock};
  std::unique_ptr<health::Health> health;
  std::unique_ptr<Service> service;
  std::unique_ptr<HttpServer> server;
  std::string origin;
};

TEST_F(DeepProbe, takes_as_long_as_the_longest_check_not_as_all_of_them) {
  for (const int count : {1, 10, 100}) {
    checks(count);
    const Duration cold = probe("/health/deep");
    const Duration cached = probe("/health/deep");
    fmt::print("{} checks of 50 ms: {:.1f} ms, from memory {:.2f} ms\n", count, 1000 * seconds_of(cold),
               1000 * seconds_of(cached));
    // Less than three checks after one another; a busy machine adds some.
    EXPECT_LT(cold, 140ms) << count;
    EXPECT_LT(cached, 50ms) << count;
    TearDown();
  }
}

TEST_F(DeepProbe, of_a_thousand_at_once_runs_each_check_once) {
  constexpr std::size_t probes = 1000;
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  checks(10);
  std::vector<int> sockets;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (std::size_t i = 0; i < probes; ++i) {
    const int made = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_GE(made, 0);
    ASSERT_EQ(connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << i;
    sockets.push_back(made);
  }
  constexpr std::string_view request = "GET /health/deep HTTP/1.1\r\nHost: deep\r\nConnection: close\r\n\r\n";
  const Instant began = clock.now();
  for (const int each : sockets)
    ASSERT_EQ(write(each, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  std::size_t well = 0;
  for (const int each : sockets) {
    std::string answer;
    std::array<char, 8192> buffer{};
    for (ssize_t got = 0; (got = read(each, buffer.data(), buffer.size())) > 0;)
      answer.append(buffer.data(), static_cast<std::size_t>(got));
    if (answer.starts_with("HTTP/1.1 200") && answer.find("\"checks_passed\":10") != std::string::npos) ++well;
    close(each);
  }
  const Duration took = clock.now() - began;
  fmt::print("1000 deep probes at once, 10 checks: {} runs, {} good answers, {:.0f} ms\n", runs.load(), well,
             1000 * seconds_of(took));
  EXPECT_EQ(well, probes);
  EXPECT_EQ(runs, 10) << "each check once, the run at the start included, whoever asks";
}

TEST_F(DeepProbe, that_hangs_delays_no_probe_of_liveness) {
  checks(1);
  const Status hanging = health->add_async({.name = "hanging", .timeout = 1min, .every = {}, .ttl = 1s},
                                           [](const health::CheckContext&, const auto& done) {
                                             static std::vector<std::function<void(health::CheckAnswer)>> never;
                                             never.push_back(done);
                                           });
  ASSERT_TRUE(hanging);
  std::jthread deep([&] {
    static_cast<void>(
        client.send(origin, {.target = "/health/deep"}, Deadline::after(clock.now(), 10s)));  // 503 after five seconds
  });
  Duration slowest{};
  for (int i = 0; i < 200; ++i) slowest = std::max(slowest, probe("/health"));
  fmt::print("while a deep probe hangs, the slowest of 200 liveness probes took {:.2f} ms\n",
             1000 * seconds_of(slowest));
  EXPECT_LT(slowest, 500ms);
}

}  // namespace
}  // namespace serin
