// Goal: what the kernel, a name server and Redis say is read right, and thresholds hit exactly.
// Method: texts and bytes as they come, a folder that looks like /proc and /sys, options out of range.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "detail_resolve.hpp"
#include "serin/probes/bus_check.hpp"
#include "serin/probes/certificate_check.hpp"
#include "serin/probes/file_check.hpp"
#include "serin/probes/http_check.hpp"
#include "serin/probes/machine_check.hpp"
#include "serin/probes/process_check.hpp"
#include "serin/probes/redis_check.hpp"
#include "serin/probes/sql_check.hpp"
#include "serin/probes/tcp_check.hpp"
#include "serin/system/files.hpp"

namespace serin::probes {
namespace {

using health::HealthStatus;

/// A clock that stands where it is put.
struct Standing final : Clock {
  Instant at{1h};
  [[nodiscard]] Instant now() const override { return at; }
  [[nodiscard]] WallTime wall() const override { return WallTime(at.time_since_epoch()); }
};

/// A folder like the kernel's.
struct Machine : testing::Test {
  std::string root = std::filesystem::temp_directory_path() / ("serin_machine_" + std::to_string(::getpid()));
  void put(const std::string& path, std::string_view text) const {
    const std::string full = root + "/" + path;
    ASSERT_TRUE(make_folders(std::filesystem::path(full).parent_path()));
    ASSERT_TRUE(write_file(full, text));
  }
  ~Machine() override { std::filesystem::remove_all(root); }
};

health::CheckAnswer run(const Result<health::CheckFunction>& check) {
  EXPECT_TRUE(check) << check.error().text();
  return (*check)({.deadline = Deadline::never(), .stop = {}});
}
std::string detail(const health::CheckAnswer& answer, std::string_view key) {
  for (const LogField& one : answer.details)
    if (one.key == key)
      return std::visit(
          [](const auto& value) -> std::string {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
              return value;
            else
              return std::to_string(value);
          },
          one.value);
  return "(none)";
}

TEST_F(Machine, memory_counts_against_the_tightest_limit_above_it_and_without_cache) {
  put("proc/self/cgroup", "0::/pod/app\n");
  put("sys/fs/cgroup/pod/app/memory.max", "max\n");
  put("sys/fs/cgroup/pod/app/memory.current", "500\n");
  put("sys/fs/cgroup/pod/memory.max", "1000\n");
  put("sys/fs/cgroup/pod/memory.current", "950\n");
  put("sys/fs/cgroup/pod/memory.stat", "anon 1\ninactive_file 50\nactive_file 7\n");
  auto answer = run(memory_check({.root = root}));
  EXPECT_EQ(answer.status, HealthStatus::up) << "exactly 0.9 is not above it";
  EXPECT_EQ(detail(answer, "used"), "900");
  EXPECT_EQ(detail(answer, "limit"), "1000");
  put("sys/fs/cgroup/pod/memory.current", "951\n");
  answer = run(memory_check({.root = root}));
  EXPECT_EQ(answer.status, HealthStatus::degraded);
  EXPECT_EQ(answer.reason, "memory_high");
  put("sys/fs/cgroup/pod/memory.current", "1040\n");
  EXPECT_EQ(run(memory_check({.root = root})).status, HealthStatus::down);
}

TEST_F(Machine, memory_without_a_limit_is_the_rss_and_without_that_unknown) {
  put("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(run(memory_check({.root = root})).status, HealthStatus::unknown);
  put("proc/self/status", "Name:\tx\nVmRSS:\t     950 kB\nThreads:\t3\n");
  put("proc/meminfo", "MemTotal: 2000 kB\nMemAvailable:   50 kB\n");
  const auto answer = run(memory_check({.root = root}));
  EXPECT_EQ(answer.status, HealthStatus::degraded);
  EXPECT_EQ(detail(answer, "source"), "machine");
  EXPECT_EQ(detail(answer, "used"), std::to_string(950 * 1024));
}

TEST_F(Machine, load_degrades_above_its_threshold_and_never_is_down) {
  put("proc/loadavg", "1.40 0.5 0.1 1/2 3\n");
  EXPECT_EQ(run(load_check({.cores = 2, .root = root})).status, HealthStatus::up);
  put("proc/loadavg", "1.41 0.5 0.1 1/2 3\n");
  EXPECT_EQ(run(load_check({.cores = 2, .root = root})).reason, "load_high");
  put("proc/loadavg", "900 0.5 0.1 1/2 3\n");
  EXPECT_EQ(run(load_check({.cores = 2, .root = root})).status, HealthStatus::degraded);
  put("proc/loadavg", "nonsense\n");
  EXPECT_EQ(run(load_check({.cores = 2, .root = root})).status, HealthStatus::unknown);
}

TEST_F(Machine, disk_says_what_is_free_and_a_missing_path_is_down) {
  put("file", "x");
  const auto answer = run(disk_check({.path = root + "/file", .min_free = 0}));
  EXPECT_EQ(answer.status, HealthStatus::up);
  for (const char* key : {"path", "exists", "total", "free", "threshold"}) EXPECT_NE(detail(answer, key), "(none)");
  EXPECT_EQ(run(disk_check({.path = root, .min_free = std::int64_t{1} << 60})).reason, "disk_full");
  EXPECT_EQ(run(disk_check({.path = root, .min_free_ratio = 1})).status, HealthStatus::down);
  const auto missing = run(disk_check({.path = root + "/nowhere"}));
  EXPECT_EQ(missing.reason, "path_missing");
  EXPECT_EQ(detail(missing, "exists"), "0");
}

TEST_F(Machine, a_file_is_loaded_once_for_each_content_and_its_digest_is_told) {
  put("model", "good");
  int loads = 0;
  const auto check = file_check({.path = root + "/model"}, [&](std::string_view bytes) -> Status {
    ++loads;
    if (bytes == "good") return {};
    return fail(Errc::data_loss, "no model");
  });
  EXPECT_EQ(run(check).status, HealthStatus::up);
  // printf good | sha256sum
  EXPECT_EQ(detail(run(check), "sha256"), "sha256:770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c");
  EXPECT_EQ(loads, 1);
  put("model", "bad");
  EXPECT_EQ(run(check).reason, "does_not_load");
  EXPECT_EQ(loads, 2);
  std::filesystem::remove(root + "/model");
  EXPECT_EQ(run(check).reason, "not_found");
  EXPECT_EQ(run(file_check({.path = root}, [](std::string_view) { return Status(); })).reason, "not_a_file");
}

TEST(Environment, shows_names_and_never_values) {
  const Environment environment({{"TOKEN", "s3cret"}, {"EMPTY", ""}});
  EXPECT_EQ(run(environment_check({.names = {"TOKEN"}}, environment)).status, HealthStatus::up);
  const auto answer = run(environment_check({.names = {"TOKEN", "EMPTY", "ABSENT"}}, environment));
  EXPECT_EQ(answer.reason, "variable_missing");
  EXPECT_EQ(answer.error, "not set: EMPTY, ABSENT");
  EXPECT_FALSE((answer.error + detail(answer, "missing")).contains("s3cret"));
}

TEST(HeartbeatCheck, tells_a_loop_that_never_began_is_late_or_stuck) {
  Standing clock;
  const auto heartbeat = std::make_shared<Heartbeat>();
  const auto check = heartbeat_check({}, heartbeat, clock);
  EXPECT_EQ(run(check).reason, "not_run_yet");
  heartbeat->beat(clock.at);
  clock.at += 1500ms;
  EXPECT_EQ(run(check).status, HealthStatus::up);
  clock.at += 1ms;
  EXPECT_EQ(run(check).reason, "loop_late");
  clock.at += 10s;
  EXPECT_EQ(run(check).reason, "loop_stuck");
}

TEST(Process, counts_threads_and_descriptors_of_its_own) {
  const auto answer = run(process_check());
  EXPECT_GE(std::stoi(detail(answer, "threads")), 1);
  EXPECT_GE(std::stoi(detail(answer, "descriptors")), 3);
  EXPECT_EQ(run(process_check({.descriptors_degraded = 1e-9, .descriptors_down = 1e-9})).status, HealthStatus::down);
}

TEST(Resolver, reads_resolv_conf_and_hosts) {
  const auto settings =
      parse_resolv_conf("# x\nnameserver 10.0.0.1\nnameserver ::1\nsearch a.b c\noptions ndots:5 x\n");
  ASSERT_EQ(settings.servers.size(), 2u);
  EXPECT_EQ(settings.servers[1].text(), "::1");
  EXPECT_EQ(settings.search, (std::vector<std::string>{"a.b", "c"}));
  EXPECT_EQ(settings.dots, 5);
  EXPECT_EQ(parse_resolv_conf("").servers.front().text(), "127.0.0.1");
  const auto found = find_in_hosts("::1 db # db2\n10.0.0.9\tx DB\n", "db");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].text(), "10.0.0.9") << "IPv4 first";
  EXPECT_TRUE(find_in_hosts("::1 db # db2\n", "db2").empty());
}

TEST(Resolver, an_answer_cut_off_anywhere_is_no_crash_and_no_address_that_was_not_there) {
  std::string answer = *dns_question(7, "a.b", false);
  answer[2] = '\x81';
  answer[7] = '\x01';
  answer += std::string("\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x07", 16);
  const auto whole = parse_dns_answer(answer, 7, false);
  ASSERT_TRUE(whole && whole->size() == 1u);
  EXPECT_EQ(whole->front().text(), "10.0.0.7");
  EXPECT_EQ(parse_dns_answer(answer, 8, false).error().code(), Errc::data_loss) << "somebody else's answer";
  for (std::size_t size = 0; size < answer.size(); ++size) {
    const auto part = parse_dns_answer(std::string_view(answer).substr(0, size), 7, false);
    EXPECT_TRUE(!part || part->empty()) << size;
  }
  EXPECT_FALSE(dns_question(1, "a..b", false));
}

TEST(RedisReply, waits_for_the_rest_and_refuses_what_is_no_redis) {
  const std::string text = "$3\r\na\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(parse_redis_reply(std::string_view(text).substr(0, size))->has_value()) << size;
  EXPECT_EQ((*parse_redis_reply(text))->text, "a\r\n");
  EXPECT_EQ((*parse_redis_reply("-ERR x\r\n"))->kind, '-');
  EXPECT_FALSE(parse_redis_reply("HTTP/1.1 400\r\n"));
  EXPECT_FALSE(parse_redis_reply("$99999999999\r\n"));
}

TEST(HealthBody, is_read_in_every_dialect_and_nothing_else_is_healthy) {
  EXPECT_EQ(status_in_body(R"({"status":"pass"})"), HealthStatus::up);
  EXPECT_EQ(status_in_body(R"({"status":"UP"})"), HealthStatus::up);
  EXPECT_EQ(status_in_body(R"({"status":"warn"})"), HealthStatus::degraded);
  EXPECT_EQ(status_in_body(R"({"status":"unhealthy"})"), HealthStatus::down);
  for (const char* body : {"", "ok", "[]", "{}", R"({"status":1})", R"({"status":"fine"})"})
    EXPECT_EQ(status_in_body(body), HealthStatus::unknown) << body;
}

TEST(Options, out_of_range_are_refused) {
  struct NoClient final : HttpClient {
    Result<HttpResponse> send(std::string_view, HttpRequest, Deadline, std::stop_token) override {
      return fail(Errc::internal, "");
    }
  } client;
  const Standing clock;
  EXPECT_FALSE(tcp_check({.host = "", .port = 80}, clock));
  EXPECT_FALSE(tcp_check({.host = "user@host", .port = 80}, clock));
  EXPECT_FALSE(tcp_check({.host = "a", .port = 65536}, clock));
  EXPECT_FALSE(dns_check({.host = "a", .at_least = 0}, clock));
  EXPECT_FALSE(disk_check({.path = "relative"}));
  EXPECT_FALSE(disk_check({.path = "/", .min_free_ratio = 1.1}));
  EXPECT_FALSE(memory_check({.degraded_above = 0.99, .down_above = 0.98}));
  EXPECT_FALSE(load_check({.degraded_above = 0}));
  EXPECT_FALSE(certificate_check({.host = "a", .degraded_before = -1s}, clock));
  EXPECT_EQ(certificate_check({.host = "a", .ca_file = "/nowhere"}, clock).error().code(), Errc::not_found);
  EXPECT_FALSE(redis_check({.host = "a", .user = "u"}, clock));
  EXPECT_FALSE(environment_check({}, Environment()));
  EXPECT_FALSE(process_check({.max_threads = 0}));
  EXPECT_EQ(http_check({.url = "https://a"}, client).error().code(), Errc::unsupported);
  EXPECT_FALSE(http_check({.url = "ftp://a"}, client));
  EXPECT_FALSE(http_check({.url = "http:///x"}, client));
  EXPECT_FALSE(http_check({.url = "http://a/\r\nX: y"}, client));
  EXPECT_FALSE(http_check({.url = "http://a", .expected = {99}}, client));
}

/// A bus with one subscription that tells as much of its backlog as it is given.
struct TellingBus final : Bus {
  Backlog told;
  Status create_topic(std::string_view, Deadline) override { return {}; }
  Status create_subscription(SubscriptionOptions, Deadline) override { return {}; }
  Result<std::vector<SubscriptionOptions>> subscriptions(Deadline) override {
    return std::vector<SubscriptionOptions>{{.name = "s", .topic = "t"}};
  }
  Result<std::vector<std::string>> publish(std::string_view, std::vector<BusMessage>, Deadline) override {
    return std::vector<std::string>();
  }
  Result<std::vector<Delivery>> pull(std::string_view, std::size_t, Deadline) override {
    return std::vector<Delivery>();
  }
  Status ack(std::string_view, std::string_view, Deadline) override { return {}; }
  Status nack(std::string_view, std::string_view, std::string_view, Deadline) override { return {}; }
  Result<Backlog> backlog(std::string_view, Deadline) override { return told; }
};

TEST(BusCheck, a_bus_that_does_not_tell_is_unknown_and_what_it_tells_still_counts) {
  TellingBus bus;
  const auto check = bus_check({.subscriptions = {"s"}}, bus);
  EXPECT_EQ(run(check).status, HealthStatus::unknown);
  EXPECT_EQ(run(check).reason, "backlog_unknown");
  bus.told.oldest = 0s;
  EXPECT_EQ(run(check).status, HealthStatus::unknown) << "of dead letters nothing is known";
  bus.told.dead_letters = 0;
  EXPECT_EQ(run(check).status, HealthStatus::up);
  bus.told = {.waiting = {}, .leased = {}, .dead_letters = 5000, .oldest = {}};
  EXPECT_EQ(run(check).status, HealthStatus::down);
}

}  // namespace
}  // namespace serin::probes
