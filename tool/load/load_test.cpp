// Goal: every request is sent once and every failure that a user would see is counted. Method: a client that answers
// from a list, and a clock that is always late, so that nothing waits.
#include "serin/load/load.hpp"

#include <gtest/gtest.h>

#include <condition_variable>

namespace serin::load {
namespace {

/// Time runs with the calls: each look at the clock is 1 ms later, a sleep ends at once.
struct RushingClock final : Sleeper {
  Instant now() const override { return Instant(std::chrono::milliseconds(++ticks)); }
  WallTime wall() const override { return WallTime(1s); }
  Status sleep_until(Instant) override { return {}; }
  Result<bool> wait(Event& event, Instant) override { return event.is_set(); }
  mutable std::atomic<std::int64_t> ticks{0};
};

/// Every tenth request is answered 500, every seventh not at all.
struct Flaky final : HttpClient {
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view, HttpRequest request, Deadline, std::stop_token) override {
    const int number = std::stoi(request.body);
    const std::lock_guard lock(mutex);
    ++seen;
    if (seen >= wanted) enough.notify_all();
    if (number % 7 == 0) return fail(Errc::unavailable, "closed");
    return HttpResponse::text(number % 10 == 0 ? 500 : 200, "");
  }
  std::mutex mutex;
  std::condition_variable enough;
  int seen = 0;
  int wanted = 200;
};

TEST(Load, counts_what_users_saw) {
  Flaky client;
  RushingClock clock;
  LoadOptions options{.origin = "http://x", .requests_per_second = 1000, .workers = 4};
  options.request = [](std::uint64_t number) { return HttpRequest{.method = "GET", .body = std::to_string(number)}; };
  auto load = Load::start(options, client, clock);
  ASSERT_TRUE(load);
  {
    std::unique_lock lock(client.mutex);
    client.enough.wait(lock, [&] { return client.seen >= client.wanted; });
  }
  (*load)->stop();
  const LoadReport report = (*load)->report();
  EXPECT_EQ(report.sent, client.seen) << "each request once";
  // Numbers are handed out in order without gaps, so the failures follow from how many were sent.
  std::int64_t failed = 0;
  for (int i = 0; i < client.seen; ++i) failed += i % 7 == 0 || i % 10 == 0;
  EXPECT_EQ(report.failed, failed);
  EXPECT_EQ(report.failures.size(), std::min<std::size_t>(static_cast<std::size_t>(failed), kept_failures));
}

TEST(Load, nonsense_is_refused) {
  Flaky client;
  RushingClock clock;
  EXPECT_FALSE(Load::start({.requests_per_second = 0}, client, clock));
  EXPECT_FALSE(Load::start({.workers = 0}, client, clock));
}

}  // namespace
}  // namespace serin::load
