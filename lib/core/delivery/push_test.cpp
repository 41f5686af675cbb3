// Goal: a message reaches its service over HTTP, is given back when it is refused, and waits while nobody is there.
// Method: the embedded bus on a temporary file, an HTTP client of memory, a condition variable instead of waiting.
#include "serin/delivery/push.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "serin/sqlite/sqlite_bus.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"

namespace serin::delivery {
namespace {

struct Service final : HttpClient {
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline, std::stop_token) override {
    const std::lock_guard lock(mutex);
    requests.push_back(std::string(origin) + request.target + " " + request.body);
    arrived.notify_all();
    if (status == 0) return fail(Errc::unavailable, "refused");
    return HttpResponse::text(status, "");
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(arrived.wait_for(lock, 20s, [&] { return requests.size() >= count; })) << requests.size();
  }
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<std::string> requests;
  std::atomic<int> status = 204;
};

struct Silent final : LogSink {
  bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

class Pushing : public testing::Test {
 protected:
  Pushing() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-push-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    sql = SqliteSql::open({.path = folder + "/b.db"}, sleeper).value();
    bus = SqliteBus::open(*sql, sleeper, random).value();
    EXPECT_TRUE(bus->create_topic("t", Deadline::never()));
    EXPECT_TRUE(bus->create_subscription(subscription, Deadline::never()));
  }
  ~Pushing() override {
    dispatcher.reset();
    bus.reset();
    sql.reset();
    std::filesystem::remove_all(folder);
  }
  void start() {
    dispatcher = std::make_unique<PushDispatcher>(
        PushOptions{.idle = 1ms, .subscriptions = {subscription}}, *bus, service, sleeper, Logger(log),
        [this](std::string_view name) { return known ? "http://" + std::string(name) : ""; });
  }
  const SubscriptionOptions subscription{.name = "s",
                                         .topic = "t",
                                         .ack_deadline = 5s,
                                         .max_attempts = 3,
                                         .min_backoff = 1ms,
                                         .max_backoff = 2ms,
                                         .dead_letter_topic = {},
                                         .push_service = "worker",
                                         .push_path = "/predict",
                                         .push_concurrency = 2};
  std::string folder;
  PatientSleeper sleeper;
  SystemRandom random;
  Silent log;
  Service service;
  std::atomic<bool> known = true;
  std::unique_ptr<SqliteSql> sql;
  std::unique_ptr<SqliteBus> bus;
  std::unique_ptr<PushDispatcher> dispatcher;
};

TEST(PushBody, reads_back_what_was_sent_and_refuses_what_is_none) {
  const Delivery sent{.ack_id = "a",
                      .message_id = "17",
                      .message = {.data = std::string("\0{}\xff", 4), .attributes = {{"batch_id", "b"}}},
                      .attempt = 3};
  const Result<Delivery> read = parse_push(push_body(sent, "worker-requests"));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->message.data, sent.message.data);
  EXPECT_EQ(read->message.attributes, sent.message.attributes);
  EXPECT_EQ(read->message_id, "17");
  EXPECT_EQ(read->attempt, 3);
  for (const char* body :
       {"", "[]", "{}", R"({"message":1})", R"({"message":{"data":"*"}})", R"({"message":{"data":7}})"})
    EXPECT_EQ(parse_push(body).error().code(), Errc::invalid_argument) << body;
}

TEST_F(Pushing, a_message_arrives_as_pub_sub_sends_it_and_is_acknowledged) {
  ASSERT_TRUE(bus->publish("t", {{.data = "{\"a\":1}", .attributes = {{"k", "v"}}}}, Deadline::never()));
  start();
  service.wait_for(1);
  dispatcher.reset();  // ends what is in flight
  EXPECT_TRUE(service.requests[0].starts_with(
      "http://worker/predict {\"message\":{\"data\":\"eyJhIjoxfQ==\",\"messageId\":\"1\""))
      << service.requests[0];
  EXPECT_NE(service.requests[0].find("\"deliveryAttempt\":1,\"subscription\":\"s\""), std::string::npos)
      << service.requests[0];
  EXPECT_EQ(service.requests.size(), 1u);
  const auto backlog = bus->backlog("s", Deadline::never());
  EXPECT_EQ(backlog->waiting.value() + backlog->leased.value(), 0);
}

TEST_F(Pushing, a_refused_message_comes_again_and_then_is_a_dead_letter) {
  service.status = 500;
  ASSERT_TRUE(bus->publish("t", {{.data = "poison"}}, Deadline::never()));
  start();
  service.wait_for(3);
  dispatcher.reset();
  EXPECT_EQ(service.requests.size(), 3u);
  EXPECT_EQ(bus->backlog("s", Deadline::never())->dead_letters, 1);
}

TEST_F(Pushing, messages_wait_for_a_service_that_is_not_known_yet) {
  known = false;
  ASSERT_TRUE(bus->publish("t", {{.data = "x"}}, Deadline::never()));
  start();
  EXPECT_EQ(bus->backlog("s", Deadline::never())->waiting, 1);
  known = true;
  service.wait_for(1);
  EXPECT_NE(service.requests[0].find("\"deliveryAttempt\":1"), std::string::npos) << "waiting used up no attempt";
}

}  // namespace
}  // namespace serin::delivery
