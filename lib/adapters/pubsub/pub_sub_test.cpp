// Goal: the bus keeps its promises over Pub/Sub's interface, and says what it cannot know. Method: a scripted HTTP
// client.
#include "serin/pubsub/pub_sub.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "../google/scripted_http.hpp"
#include "serin/sim/world.hpp"

namespace serin::google {
namespace {

namespace json = boost::json;

std::string refusal(int code, const std::string& status) {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":"no","status":")" + status + R"("}})";
}

class PubSubCalls : public testing::Test {
 protected:
  Deadline soon() { return Deadline::after(world.now(), 60s); }
  json::value body(std::size_t n) { return json::parse(http.asked().at(n).request.body); }
  std::vector<std::string> targets() {
    std::vector<std::string> out;
    for (const auto& asked : http.asked()) out.push_back(asked.request.method + " " + asked.request.target);
    return out;
  }
  sim::World world;
  ScriptedHttp http{world.sleeper()};
  FixedToken tokens{"owner"};
  std::unique_ptr<PubSub> bus =
      PubSub::open({.project = "p"},
                   Api::make(http, tokens, world.sleeper(), world.random(), PubSub::defaults()).value())
          .value();
};

TEST_F(PubSubCalls, what_exists_is_fine) {
  http.then(409, refusal(409, "ALREADY_EXISTS"));
  EXPECT_TRUE(bus->create_topic("requests", soon()));
  EXPECT_EQ(targets(), std::vector<std::string>{"PUT /v1/projects/p/topics/requests"});
  http.clear();
  http.then(409, refusal(409, "ALREADY_EXISTS")).then(200, R"({"topic":"projects/p/topics/requests"})").then(200);
  EXPECT_TRUE(bus->create_subscription({.name = "work", .topic = "requests", .dead_letter_topic = "dead"}, soon()));
  ASSERT_EQ(http.count(), 3u);
  EXPECT_EQ(targets().back(), "PATCH /v1/projects/p/subscriptions/work");
  EXPECT_EQ(body(2).at("updateMask"), "ackDeadlineSeconds,labels,deadLetterPolicy,retryPolicy");
  http.clear();
  http.then(409, refusal(409, "ALREADY_EXISTS")).then(200, R"({"topic":"projects/p/topics/other"})");
  EXPECT_EQ(bus->create_subscription({.name = "work", .topic = "requests", .dead_letter_topic = "dead"}, soon())
                .error()
                .code(),
            Errc::conflict);
}

TEST_F(PubSubCalls, dead_letters_without_a_topic_are_kept_aside) {
  http.then(200);
  ASSERT_TRUE(bus->create_subscription({.name = "work", .topic = "requests"}, soon()));
  EXPECT_EQ(targets(), (std::vector<std::string>{
                           "GET /v1/projects/p/topics/requests", "PUT /v1/projects/p/topics/work.dead",
                           "PUT /v1/projects/p/subscriptions/work.dead", "PUT /v1/projects/p/subscriptions/work"}));
  EXPECT_EQ(body(3).at("deadLetterPolicy").at("deadLetterTopic"), "projects/p/topics/work.dead");
  http.clear();
  http.then(404, refusal(404, "NOT_FOUND"));
  EXPECT_EQ(bus->create_subscription({.name = "work", .topic = "nothing"}, soon()).error().code(), Errc::not_found);
  EXPECT_EQ(http.count(), 1u) << "nothing is left behind";
}

TEST_F(PubSubCalls, subscriptions_are_read_as_they_were_made) {
  http.then(200);
  ASSERT_TRUE(
      bus->create_subscription({.name = "work", .topic = "requests", .push_service = "w", .push_path = "/x"}, soon()));
  json::object kept = body(2).as_object();
  json::object made = body(3).as_object();
  kept["name"] = "projects/p/subscriptions/work.dead";
  made["name"] = "projects/p/subscriptions/work";
  http.clear();
  http.then(200, json::serialize(json::object{{"subscriptions", json::array{kept}}, {"nextPageToken", "t"}}))
      .then(200, json::serialize(json::object{{"subscriptions", json::array{made}}}));
  const auto list = bus->subscriptions(soon());
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->size(), 1u) << "those that keep dead letters are no subscriptions of ours";
  EXPECT_EQ(list->at(0).name, "work");
  EXPECT_EQ(list->at(0).push_path, "/x");
  EXPECT_EQ(list->at(0).dead_letter_topic, "") << "kept aside";
}

TEST_F(PubSubCalls, publishing_says_how_far_it_came) {
  http.then(200, R"({"messageIds":["1","2"]})");
  const auto ids = bus->publish("requests", {{.data = "a", .attributes = {}}, {.data = "b", .attributes = {}}}, soon());
  ASSERT_TRUE(ids) << ids.error().text();
  EXPECT_EQ(*ids, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(targets(), std::vector<std::string>{"POST /v1/projects/p/topics/requests:publish"});
  http.clear();
  json::array thousand;
  for (int i = 0; i < 1000; ++i) thousand.emplace_back(std::to_string(i));
  http.then(200, json::serialize(json::object{{"messageIds", thousand}})).then(404, refusal(404, "NOT_FOUND"));
  const auto half = bus->publish("requests", std::vector<BusMessage>(1001, {.data = "x", .attributes = {}}), soon());
  EXPECT_EQ(half.error().code(), Errc::not_found);
  EXPECT_NE(half.error().detail().find("1000 of 1001"), std::string::npos) << half.error().text();
  http.clear();
  http.then(200, R"({"messageIds":[]})");
  EXPECT_EQ(bus->publish("requests", {{.data = "a", .attributes = {}}}, soon()).error().code(), Errc::data_loss);
}

TEST_F(PubSubCalls, deliveries_are_leased_settled_and_given_back) {
  http.then(200, R"({"receivedMessages":[{"ackId":"k","message":{"data":"YQ==","messageId":"1"}}]})");
  const auto got = bus->pull("work", 5000, soon());
  ASSERT_TRUE(got) << got.error().text();
  ASSERT_EQ(got->size(), 1u);
  EXPECT_EQ(got->at(0).message.data, "a");
  EXPECT_EQ(body(0), json::parse(R"({"maxMessages":1000,"returnImmediately":true})"));
  http.clear();
  http.then(200);
  EXPECT_TRUE(bus->pull("work", 7, soon())->empty());
  EXPECT_TRUE(bus->ack("work", "k", soon()));
  EXPECT_TRUE(bus->nack("work", "k", "busy", soon()));
  EXPECT_EQ(body(1), json::parse(R"({"ackIds":["k"]})"));
  EXPECT_EQ(body(2), json::parse(R"({"ackIds":["k"],"ackDeadlineSeconds":0})"));
  EXPECT_EQ(targets().back(), "POST /v1/projects/p/subscriptions/work:modifyAckDeadline");
  http.clear();
  http.then(400, refusal(400, "INVALID_ARGUMENT"));
  EXPECT_EQ(bus->ack("work", "old", soon()).error().code(), Errc::conflict) << "its lease ran out";
}

class PubSubCounts : public PubSubCalls {
 protected:
  /// An answer of Cloud Monitoring with a point for each subscription.
  static std::string points(std::string_view metric, const std::map<std::string, int>& values) {
    json::array all;
    for (const auto& [name, value] : values)
      all.push_back(json::object{
          {"metric", json::object{{"type", "pubsub.googleapis.com/subscription/" + std::string(metric)}}},
          {"resource",
           json::object{{"type", "pubsub_subscription"}, {"labels", json::object{{"subscription_id", name}}}}},
          {"valueType", "INT64"},
          {"points", json::array{json::object{{"interval", json::object{{"endTime", "2026-01-01T00:00:00Z"}}},
                                              {"value", json::object{{"int64Value", std::to_string(value)}}}}}}});
    return json::serialize(json::object{{"timeSeries", std::move(all)}});
  }
  std::shared_ptr<Api> monitoring =
      Api::make(http, tokens, world.sleeper(), world.random(), CloudMonitoring::defaults()).value();
  std::unique_ptr<PubSub> counted =
      PubSub::open({.project = "p"},
                   Api::make(http, tokens, world.sleeper(), world.random(), PubSub::defaults()).value(),
                   std::make_shared<CloudMonitoring>(monitoring, Place{.project = "p"}))
          .value();
  const std::string work =
      R"({"name":"projects/p/subscriptions/work","deadLetterPolicy":{"deadLetterTopic":"projects/p/topics/work.dead"}})";
};

TEST_F(PubSubCounts, are_those_that_cloud_monitoring_has) {
  http.then(200, work);
  http.then(200, points("num_undelivered_messages", {{"work", 7}, {"work.dead", 2}}));
  http.then(200, points("oldest_unacked_message_age", {{"work", 61}}));
  http.then(200, R"({"subscriptions":["projects/p/subscriptions/work.dead"]})");
  const auto backlog = counted->backlog("work", soon());
  ASSERT_TRUE(backlog) << backlog.error().text();
  EXPECT_EQ(backlog->waiting, 7);
  EXPECT_EQ(backlog->dead_letters, 2);
  EXPECT_EQ(backlog->oldest, Duration(61s));
  EXPECT_FALSE(backlog->leased);
  EXPECT_NE(targets().at(1).find("num_undelivered_messages"), std::string::npos);
  EXPECT_EQ(targets().at(3), "GET /v1/projects/p/topics/work.dead/subscriptions?pageSize=1000");
}

TEST_F(PubSubCounts, hold_the_dead_letters_of_every_page) {
  http.then(200, work);
  http.then(200, points("num_undelivered_messages", {{"work", 7}, {"a", 2}, {"b", 3}}));
  http.then(200, points("oldest_unacked_message_age", {{"work", 61}}));
  http.then(200, R"({"subscriptions":["projects/p/subscriptions/a"],"nextPageToken":"2"})");
  http.then(200, R"({"subscriptions":["projects/p/subscriptions/b"]})");
  EXPECT_EQ(counted->backlog("work", soon())->dead_letters, 5);
}

TEST_F(PubSubCounts, that_are_missing_are_unknown) {
  http.then(200, work);
  http.then(200, "{}");  // no point of the last minutes
  const auto none = counted->backlog("work", soon());
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->waiting || none->dead_letters || none->oldest);
  http.clear();
  http.then(200, work);
  http.then(200, points("num_undelivered_messages", {{"work", 7}}));
  http.then(403, refusal(403, "PERMISSION_DENIED"));
  const auto half = counted->backlog("work", soon());
  ASSERT_TRUE(half);
  EXPECT_EQ(half->waiting, 7);
  EXPECT_FALSE(half->dead_letters) << "whoever keeps them has no count";
  EXPECT_FALSE(half->oldest) << "that may not be read";
}

TEST_F(PubSubCalls, what_pubsub_does_not_tell_is_unknown_and_not_zero) {
  http.then(200, R"({"name":"projects/p/subscriptions/work"})");
  const auto backlog = bus->backlog("work", soon());
  ASSERT_TRUE(backlog) << backlog.error().text();
  EXPECT_FALSE(backlog->waiting || backlog->leased || backlog->dead_letters || backlog->oldest);
  EXPECT_TRUE(bus->ping("requests", soon()));
  http.clear();
  http.then(404, refusal(404, "NOT_FOUND"));
  EXPECT_EQ(bus->backlog("nothing", soon()).error().code(), Errc::not_found);
  EXPECT_EQ(bus->ping("nothing", soon()).error().code(), Errc::not_found);
}

}  // namespace
}  // namespace serin::google
