// Goal: a prepared answer is the one that handle() gives, is replaced when the health or the time has moved on, and is
// read without an allocation, whoever writes meanwhile. Method: fake time, a counting operator new, threads that read
// while one writes.
#include "prepared.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "fake_health.hpp"
#include "serin/endpoints/endpoints.hpp"
#include "serin/sim/world.hpp"

// ThreadSanitizer brings its own operator new; there, nothing is counted. g++ 12 cannot read __has_feature.
#ifndef __clang__
#ifndef __SANITIZE_THREAD__
#include "counting_new.hpp"
#endif
#elif !__has_feature(thread_sanitizer)
#include "counting_new.hpp"
#endif

namespace serin::endpoints {
namespace {

using health::CheckAnswer;

struct Prepared : testing::Test {
  Prepared() { source.checks.push_back({.name = "db", .duration = 1ms, .answer = CheckAnswer::pass()}); }
  Endpoints endpoints(EndpointsOptions options = {}) {
    return Endpoints::make(std::move(options), {.service = "shop"}, source, world.sleeper()).value();
  }
  static std::string text(const std::shared_ptr<const std::string>& bytes) { return bytes ? *bytes : "(none)"; }
  sim::World world;
  FakeHealth source;
};

TEST_F(Prepared, are_the_bytes_of_what_handle_answers) {
  const Endpoints all = endpoints();
  for (const std::string path : {"/health", "/ready", "/startup"}) {
    const HttpResponse answer = all.handle({.target = path});
    const std::string bytes = text(all.prepared({.method = "GET", .target = path}));
    EXPECT_TRUE(bytes.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store"))
        << bytes;
    const std::string end = fmt::format("\r\nContent-Length: {}\r\n\r\n", answer.body.size());
    EXPECT_TRUE(bytes.ends_with(end + answer.body)) << bytes;
    EXPECT_EQ(text(all.prepared({.method = "HEAD", .target = path})), bytes) << "a server sends HEAD the head of it";
    EXPECT_EQ(bytes.find("Connection"), std::string::npos) << "it is kept";
  }
}

TEST_F(Prepared, are_only_for_plain_requests_to_exactly_a_route_from_memory) {
  const Endpoints all = endpoints();
  for (const std::string_view target :
       {"/ready?verbose", "/ready/", "/ready/db", "/health/deep", "/health/group", "/x"})
    EXPECT_EQ(all.prepared({.method = "GET", .target = target}), nullptr) << target;
  EXPECT_EQ(all.prepared({.method = "POST", .target = "/ready"}), nullptr);
  EXPECT_EQ(all.prepared({.method = "GET", .target = "/ready", .is_plain = false}), nullptr);
  EndpointsOptions none;
  none.prepared_for = Duration::zero();
  EXPECT_EQ(endpoints(none).prepared({.method = "GET", .target = "/ready"}), nullptr);
  EndpointsOptions by_address;
  by_address.authenticator = address_list({"10.0.0.0/8"}).value();
  EXPECT_EQ(endpoints(by_address).prepared({.method = "GET", .target = "/ready"}), nullptr)
      << "who it is cannot be seen in a head";
  EndpointsOptions by_key;
  by_key.authenticator = bearer("sesame").value();
  EXPECT_NE(endpoints(by_key).prepared({.method = "GET", .target = "/ready"}), nullptr);
}

TEST_F(Prepared, are_replaced_when_the_health_changes_and_when_only_time_passes) {
  const Endpoints all = endpoints();
  const HttpHead ready{.method = "GET", .target = "/ready"};
  EXPECT_TRUE(text(all.prepared(ready)).starts_with("HTTP/1.1 200"));
  source.checks[0].answer = CheckAnswer::fail("x", "y");
  EXPECT_TRUE(text(all.prepared(ready)).starts_with("HTTP/1.1 200")) << "nobody said that it changed";
  ++source.version_now;
  EXPECT_TRUE(text(all.prepared(ready)).starts_with("HTTP/1.1 503"));
  // Staleness comes with time and changes no version.
  source.checks[0].answer = CheckAnswer::unknown("stale", "too old");
  source.checks[0].critical = false;
  world.advance(99ms);
  EXPECT_TRUE(text(all.prepared(ready)).starts_with("HTTP/1.1 503"));
  world.advance(2ms);
  EXPECT_TRUE(text(all.prepared(ready)).starts_with("HTTP/1.1 200"));
}

TEST_F(Prepared, are_asked_of_the_source_once_for_many_readers) {
  const Endpoints all = endpoints();
  for (int i = 0; i < 1000; ++i) static_cast<void>(all.prepared({.method = "GET", .target = "/ready"}));
  EXPECT_EQ(source.reports, 1);
}

TEST_F(Prepared, are_read_without_an_allocation) {
  const Endpoints all = endpoints();
  const HttpHead heads[] = {{.method = "GET", .target = "/health"}, {.method = "HEAD", .target = "/ready"}};
  for (const HttpHead& head : heads) static_cast<void>(all.prepared(head));
  const std::int64_t before = allocations.load();
  for (int i = 0; i < 1000; ++i)
    for (const HttpHead& head : heads)
      if (!all.prepared(head)) std::abort();
  EXPECT_EQ(allocations.load() - before, 0);
}

TEST_F(Prepared, are_whole_whoever_writes_meanwhile) {
  PreparedAnswer answer;
  std::atomic<std::uint64_t> version = 0;
  std::atomic<bool> done = false;
  std::atomic<std::int64_t> wrong = 0;
  std::atomic<std::int64_t> seen = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (!done) {
        const std::uint64_t expected = version;
        const auto bytes = answer.read(expected, Instant{});
        if (!bytes) continue;
        ++seen;
        if (*bytes != fmt::format("answer {}", expected)) ++wrong;
      }
    });
  for (std::uint64_t i = 1; i <= 2000 || seen < 100; ++i) {
    const std::scoped_lock lock(answer.writing());
    answer.write(std::make_shared<const std::string>(fmt::format("answer {}", i)), i, Instant(1s));
    version = i;
  }
  done = true;
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(seen, 100);
}

TEST_F(Prepared, are_never_older_than_the_version_that_was_seen_before_by_whom_ever_asked) {
  // The source says its version, and each answer shows it: no reader may get an older one than it has seen published.
  struct Counting final : health::HealthSource {
    std::optional<health::HealthReport> report(const health::Selection&) const override {
      health::HealthReport out{.status = health::HealthStatus::up};
      out.checks.push_back({.name = std::to_string(changes.load()), .answer = CheckAnswer::pass()});
      return out;
    }
    void ask(const health::Selection&, Deadline, std::function<void(std::optional<health::HealthReport>)>) override {}
    std::uint64_t version() const noexcept override { return changes; }
    std::vector<std::string> groups() const override { return {}; }
    void on_change(std::function<void()>) override {}
    std::atomic<std::uint64_t> changes = 1;
  } counting;
  const Endpoints all = Endpoints::make({}, {.service = "shop"}, counting, world.sleeper()).value();
  std::atomic<std::int64_t> wrong = 0;
  std::atomic<std::int64_t> seen = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          const std::uint64_t at_least = counting.changes;
          const auto bytes = all.prepared({.method = "GET", .target = "/ready"});
          if (!bytes) continue;
          ++seen;
          constexpr std::string_view before = R"("check":")";
          const std::size_t at = bytes->find(before) + before.size();
          if (std::stoull(bytes->substr(at)) < at_least) ++wrong;
        }
      });
    while (counting.changes < 1000 || seen < 1000) ++counting.changes;
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(Prepared, give_way_when_the_source_fails) {
  const Endpoints all = endpoints();
  source.on_report = [] { throw std::runtime_error("lost"); };
  EXPECT_TRUE(text(all.prepared({.method = "GET", .target = "/ready"})).starts_with("HTTP/1.1 500"));
  source.on_report = nullptr;
  world.advance(101ms);
  EXPECT_TRUE(text(all.prepared({.method = "GET", .target = "/ready"})).starts_with("HTTP/1.1 200"));
}

}  // namespace
}  // namespace serin::endpoints
