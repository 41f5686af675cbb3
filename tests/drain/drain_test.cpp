// Goal: a service that is asked to end loses nobody's request. Method: two replicas behind HAProxy, which asks each
// whether it is ready and never retries; steady load; both are restarted again and again. SERIN_DRAIN_ROUNDS: how
// often, 3 by default.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "serin/base/text.hpp"
#include "serin/haproxy/runtime_socket.hpp"
#include "serin/http/session.hpp"
#include "serin/process/process.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/files.hpp"

namespace serin {
namespace {

constexpr int drain_delay_ms = 1000;  // HAProxy needs two checks of 100 ms to notice
constexpr int drain_timeout_ms = 5000;

std::string temporary_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "serin-drain-XXXXXX").string();
  return mkdtemp(pattern.data());
}

/// A child process, ended and reaped whatever happens.
struct Child {
  explicit Child(SpawnOptions options) {
    auto spawned = spawn(options);
    EXPECT_TRUE(spawned) << spawned.error().text();
    if (spawned) id = *spawned;
  }
  ~Child() {
    if (id.pid != 0 && send_signal(id, SIGKILL)) static_cast<void>(wait());
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ProcessEnd wait() {
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(id.pid), &info, WEXITED | WNOWAIT);
    const ProcessEnd end = poll_end(id).value_or(ProcessEnd{});
    id = {};
    return end;
  }
  ProcessId id;
};

struct Replica {
  Replica(std::string folder, int timeout_ms) : folder_(std::move(folder)), timeout_ms_(timeout_ms) { start(); }
  void start() {
    child = std::make_unique<Child>(
        SpawnOptions{.command = {std::string(std::getenv("SERIN_BIN_DIR")) + "/drain_replica", std::to_string(port),
                                 std::to_string(drain_delay_ms), std::to_string(timeout_ms_)},
                     .environment = {},
                     .directory = {},
                     .output = folder_ + "/replica.log"});
  }
  [[nodiscard]] std::string origin() const { return fmt::format("http://127.0.0.1:{}", port); }
  const std::uint16_t port = free_port().value();
  std::unique_ptr<Child> child;

 private:
  std::string folder_;
  int timeout_ms_;
};

/// Everybody who asks through the router. POST, which nobody repeats behind our back.
class Load {
 public:
  Load(std::string origin, int clients) {
    for (int i = 0; i < clients; ++i)
      clients_.emplace_back([this, origin](const std::stop_token& stop) {
        const SystemClock clock;
        http::Session client(clock);
        while (!stop.stop_requested()) {
          const auto answer =
              client.send(origin, {.method = "POST", .target = "/work"}, Deadline::after(clock.now(), 10s));
          ++requests;
          if (answer && answer->status == 200) continue;
          const std::lock_guard lock(mutex_);
          failures_.push_back(answer ? fmt::format("{} {}", answer->status, answer->body) : answer.error().text());
        }
      });
  }
  std::vector<std::string> end() {
    clients_.clear();
    return failures_;
  }
  std::atomic<int> requests = 0;

 private:
  std::mutex mutex_;
  std::vector<std::string> failures_;  // guarded by mutex_
  std::vector<std::jthread> clients_;
};

struct Drain : testing::Test {
  ~Drain() override { std::filesystem::remove_all(folder); }
  [[nodiscard]] Deadline soon() const { return Deadline::after(clock.now(), 10s); }
  /// 0 when it cannot be asked.
  int status(const std::string& origin, std::string_view target) {
    http::Session client(clock);
    const auto answer = client.send(origin, {.target = std::string(target)}, soon());
    return answer ? answer->status : 0;
  }
  void wait_for(const std::string& origin, std::string_view target, int wanted) {
    const Deadline deadline = soon();
    while (status(origin, target) != wanted)
      if (deadline.passed(clock.now())) FAIL() << origin << target << " does not become " << wanted;
  }
  PatientSleeper clock;
  const std::string folder = temporary_folder();
};

TEST_F(Drain, is_not_ready_at_once_but_alive_and_serving_and_ends_with_0) {
  Replica replica(folder, drain_timeout_ms);
  wait_for(replica.origin(), "/ready", 200);
  const Instant asked = clock.now();
  ASSERT_TRUE(send_signal(replica.child->id, SIGTERM));
  wait_for(replica.origin(), "/ready", 503);
  const Duration noticed = clock.now() - asked;
  EXPECT_LT(noticed, 100ms);
  EXPECT_EQ(status(replica.origin(), "/health"), 200);
  EXPECT_EQ(status(replica.origin(), "/work"), 200) << "a router that has not looked yet still sends requests";
  const ProcessEnd end = replica.child->wait();
  EXPECT_EQ(end.code, 0) << end.text();
  EXPECT_GE(clock.now() - asked, 1ms * drain_delay_ms);
  EXPECT_LT(clock.now() - asked, 1ms * (drain_delay_ms + drain_timeout_ms));
}

TEST_F(Drain, is_bounded_also_when_a_handler_hangs) {
  Replica replica(folder, 200);
  wait_for(replica.origin(), "/ready", 200);
  std::jthread hanging(
      [&] { EXPECT_EQ(status(replica.origin(), "/hang"), 0) << "cut off"; });  // it arrives within the delay
  const Instant asked = clock.now();
  ASSERT_TRUE(send_signal(replica.child->id, SIGTERM));
  const ProcessEnd end = replica.child->wait();
  EXPECT_EQ(end.code, 4) << end.text();
  EXPECT_LT(clock.now() - asked, 1ms * (drain_delay_ms + 200) + 2s);
}

/// HAProxy with a check of "/ready" and without any second try: what fails is seen.
std::string configuration(const std::string& folder, std::uint16_t port, const std::array<Replica*, 2>& replicas) {
  return fmt::format(
      "global\n  stats socket {0}/s mode 600 level admin\n"
      "defaults\n  mode http\n  timeout connect 1s\n  timeout client 30s\n  timeout server 30s\n  timeout queue 1s\n"
      "  retries 0\n  option httpchk GET /ready\n  default-server check inter 100ms fall 2 rise 1\n"
      "frontend f\n  bind 127.0.0.1:{1}\n  default_backend b\n"
      "backend b\n  balance roundrobin\n  server r0 127.0.0.1:{2}\n  server r1 127.0.0.1:{3}\n",
      folder, port, replicas[0]->port, replicas[1]->port);
}

class Behind : public Drain {
 protected:
  /// HAProxy sends requests to it.
  [[nodiscard]] bool is_in_rotation(const haproxy::RuntimeSocket& socket, std::string_view name) const {
    const std::string text = socket.ask("show servers state b", soon()).value_or("");
    for (const std::string_view line : split(text, '\n')) {
      const std::vector<std::string_view> cells = split(line, ' ');
      if (cells.size() > 5 && cells[3] == name) return cells[5] == "2";
    }
    return false;
  }
  void await_rotation(const haproxy::RuntimeSocket& socket, std::string_view name) {
    const Deadline deadline = soon();
    while (!is_in_rotation(socket, name)) {
      if (deadline.passed(clock.now())) FAIL() << name << " does not come back";
      ASSERT_TRUE(clock.sleep_for(5ms));
    }
  }
};

TEST_F(Behind, a_router_no_request_fails_while_replicas_are_restarted_under_load) {
  const char* wanted = std::getenv("SERIN_DRAIN_ROUNDS");
  const int rounds = wanted == nullptr ? 3 : static_cast<int>(to_int(wanted).value_or(3));
  Replica first(folder, drain_timeout_ms);
  Replica second(folder, drain_timeout_ms);
  const std::array<Replica*, 2> replicas{&first, &second};
  const std::uint16_t port = free_port().value();
  ASSERT_TRUE(write_file(folder + "/c.cfg", configuration(folder, port, replicas)));
  for (const Replica* replica : replicas) wait_for(replica->origin(), "/ready", 200);
  const Child router({.command = {"haproxy", "-db", "-f", folder + "/c.cfg"},
                      .environment = {},
                      .directory = {},
                      .output = folder + "/haproxy.log"});
  const haproxy::RuntimeSocket socket(folder + "/s", clock);
  for (const std::string_view name : {"r0", "r1"}) ASSERT_NO_FATAL_FAILURE(await_rotation(socket, name));
  Load load(fmt::format("http://127.0.0.1:{}", port), 8);
  Duration longest{};
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < replicas.size(); ++i) {
      const int before = load.requests;
      const Instant asked = clock.now();
      ASSERT_TRUE(send_signal(replicas[i]->child->id, SIGTERM));
      const ProcessEnd end = replicas[i]->child->wait();
      EXPECT_EQ(end.code, 0) << end.text();
      longest = std::max(longest, clock.now() - asked);
      EXPECT_GT(load.requests, before + 10) << "without load nothing is proven";
      replicas[i]->start();
      ASSERT_NO_FATAL_FAILURE(await_rotation(socket, fmt::format("r{}", i)));
    }
  const int requests = load.requests;
  const std::vector<std::string> failures = load.end();
  fmt::print("{} rounds, {} restarts, {} requests, {} failed, longest end {} ms\n", rounds, 2 * rounds, requests,
             failures.size(), longest / 1ms);
  EXPECT_TRUE(failures.empty()) << failures.size() << " failed, the first: " << failures.front();
}

}  // namespace
}  // namespace serin
