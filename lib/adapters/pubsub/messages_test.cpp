// Goal: messages and options go to Pub/Sub and back without a change, in requests that it takes. Method: there and
// back; the service's limits.
#include "messages.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace serin::pubsub {
namespace {

namespace json = boost::json;

json::object object(const std::string& text) { return json::parse(text).as_object(); }

TEST(PubSubMessages, go_and_come_back) {
  const BusMessage message{.data = std::string("\0\xff{}", 4), .attributes = {{"trace", "ż"}, {"key", "player 7"}}};
  json::object sent = message_of(message, "key");
  EXPECT_EQ(sent.at("data"), "AP97fQ==");
  EXPECT_EQ(sent.at("orderingKey"), "player 7");
  EXPECT_FALSE(message_of(message, "").contains("orderingKey"));
  sent["messageId"] = "12";
  sent["publishTime"] = "2026-01-21T08:00:00.5Z";
  const auto delivery = delivery_of({{"ackId", "a"}, {"deliveryAttempt", 3}, {"message", sent}});
  ASSERT_TRUE(delivery) << delivery.error().text();
  EXPECT_EQ(delivery->message.data, message.data);
  EXPECT_EQ(delivery->message.attributes, message.attributes);
  EXPECT_EQ(delivery->message_id, "12");
  EXPECT_EQ(delivery->attempt, 3);
  EXPECT_EQ(format_rfc3339(delivery->published_at), "2026-01-21T08:00:00.500Z");
  EXPECT_EQ(delivery_of(object(R"({"ackId":"a","message":{"messageId":"1"}})"))->message.data, "") << "only attributes";
}

TEST(PubSubMessages, that_are_damaged_are_told) {
  for (const char* damaged : {R"({})", R"({"ackId":"a","message":{"data":"?","messageId":"1"}})",
                              R"({"message":{"data":"","messageId":"1"}})", R"({"ackId":"a","message":{"data":""}})"})
    EXPECT_EQ(delivery_of(object(damaged)).error().code(), Errc::data_loss) << damaged;
}

TEST(PubSubMessages, are_packed_as_the_service_takes_them) {
  EXPECT_TRUE(batches_of({}, "")->empty());
  const std::vector<BusMessage> many(2001, {.data = "x", .attributes = {}});
  const auto batches = batches_of(many, "");
  ASSERT_EQ(batches->size(), 3u);
  EXPECT_EQ(object(batches->at(0)).at("messages").as_array().size(), 1000u);
  EXPECT_EQ(object(batches->at(2)).at("messages").as_array().size(), 1u);
  const std::vector<BusMessage> large(3, {.data = std::string(3u << 20, 'x'), .attributes = {}});
  EXPECT_EQ(batches_of(large, "")->size(), 2u) << "4 MB each in base64";
  EXPECT_EQ(batches_of({{.data = std::string(10u << 20, 'x'), .attributes = {}}}, "").error().code(),
            Errc::invalid_argument);
}

TEST(PubSubMessages, options_stand_in_the_subscription) {
  const SubscriptionOptions options{.name = "work",
                                    .topic = "requests",
                                    .ack_deadline = 20s,
                                    .max_attempts = 7,
                                    .min_backoff = 500ms,
                                    .max_backoff = 30s,
                                    .dead_letter_topic = "requests-dead",
                                    .push_service = "prediction-worker",
                                    .push_path = "/Predict_all",
                                    .push_concurrency = 9};
  auto made = subscription_of(options, "projects/p/topics/requests", "projects/p/topics/requests-dead");
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->at("ackDeadlineSeconds"), 20);
  EXPECT_EQ(made->at("retryPolicy"), object(R"({"minimumBackoff":"0.5s","maximumBackoff":"30s"})"));
  EXPECT_EQ(made->at("labels").at("serin-push-path"), "_2f_50redict_5fall");
  (*made)["name"] = "projects/p/subscriptions/work";
  const auto back = options_of(*made);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->name, "work");
  EXPECT_EQ(back->topic, "requests");
  EXPECT_EQ(back->ack_deadline, 20s);
  EXPECT_EQ(back->max_attempts, 7);
  EXPECT_EQ(back->min_backoff, 500ms);
  EXPECT_EQ(back->max_backoff, 30s);
  EXPECT_EQ(back->dead_letter_topic, "requests-dead");
  EXPECT_EQ(back->push_service, "prediction-worker");
  EXPECT_EQ(back->push_path, "/Predict_all");
  EXPECT_EQ(back->push_concurrency, 9);
}

TEST(PubSubMessages, what_pubsub_does_not_take_is_refused_by_name) {
  struct Refusal {
    SubscriptionOptions options;
    const char* words;
  };
  for (const Refusal& each : std::vector<Refusal>{
           {{.name = "s", .topic = "t", .ack_deadline = 9s}, "ack_deadline"},
           {{.name = "s", .topic = "t", .max_attempts = 4}, "max_attempts"},
           {{.name = "s", .topic = "t", .max_backoff = 601s}, "max_backoff"},
           {{.name = "s", .topic = "t", .push_service = "w", .push_path = std::string(64, 'x')}, "push_path"}}) {
    const auto made = subscription_of(each.options, "t", "d");
    ASSERT_FALSE(made) << each.words;
    EXPECT_NE(made.error().detail().find(each.words), std::string::npos) << made.error().text();
  }
}

}  // namespace
}  // namespace serin::pubsub
