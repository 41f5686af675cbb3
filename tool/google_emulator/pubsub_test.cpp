// Goal: Pub/Sub delivers at least once, in the order of a key, and moves what fails too often to the dead letters.
// Method: calls over the handler, in simulated time.
#include "emulator_under_test.hpp"

namespace serin::google_emulator {
namespace {

struct PubSubApi : Emulator {
  const std::string root = "/v1/projects/p";
  const std::string sub = root + "/subscriptions/sub-1";
  void subscribe(const std::string& more = "") {
    EXPECT_EQ(send("PUT", root + "/topics/topic-1", "{}").status, 200);
    EXPECT_EQ(send("PUT", sub, R"({"topic":"projects/p/topics/topic-1","ackDeadlineSeconds":10)" + more + "}").status,
              200);
  }
  Answer publish(const std::string& data, const std::string& more = "") {
    return post(root + "/topics/topic-1:publish", R"({"messages":[{"data":")" + data + "\"" + more + "}]}");
  }
  Answer pull(int most = 10) { return post(sub + ":pull", R"({"maxMessages":)" + std::to_string(most) + "}"); }
  Answer nack(const std::string& id) {
    return post(sub + ":modifyAckDeadline", R"({"ackIds":[")" + id + R"("],"ackDeadlineSeconds":0})");
  }
  Answer ack(const std::string& id) { return post(sub + ":acknowledge", R"({"ackIds":[")" + id + "\"]}"); }
};

TEST_F(PubSubApi, topics_and_subscriptions_are_made_once_and_listed) {
  subscribe();
  EXPECT_EQ(send("PUT", root + "/topics/topic-1", "{}").text("error/status"), "ALREADY_EXISTS");
  EXPECT_EQ(send("PUT", root + "/subscriptions/other", R"({"topic":"projects/p/topics/none"})").status, 404);
  EXPECT_EQ(send("PUT", root + "/subscriptions/f", R"({"topic":"projects/p/topics/topic-1"})").status, 400)
      << "too short";
  EXPECT_EQ(get(root + "/topics").text("topics/0/name"), "projects/p/topics/topic-1");
  EXPECT_EQ(get(root + "/topics/topic-1/subscriptions").text("subscriptions/0"), "projects/p/subscriptions/sub-1");
  EXPECT_EQ(get(sub).text("ackDeadlineSeconds"), "10");
  EXPECT_EQ(send("DELETE", root + "/topics/topic-1").status, 200);
  EXPECT_EQ(get(sub).text("topic"), "_deleted-topic_");
  EXPECT_EQ(send("DELETE", sub).status, 200);
  EXPECT_EQ(pull().status, 404);
}

TEST_F(PubSubApi, a_message_comes_again_until_it_is_acknowledged) {
  subscribe();
  EXPECT_EQ(publish("YQ==", R"(,"attributes":{"k":"v"})").text("messageIds/0"), "1");
  const Answer first = pull();
  EXPECT_EQ(first.text("receivedMessages/0/message/data"), "YQ==");
  EXPECT_EQ(first.text("receivedMessages/0/message/attributes/k"), "v");
  EXPECT_EQ(pull().text("receivedMessages"), "null") << "it is leased";
  world.advance(11s);
  const Answer second = pull();
  EXPECT_EQ(second.text("receivedMessages/0/message/messageId"), "1");
  EXPECT_EQ(ack(first.text("receivedMessages/0/ackId")).status, 200);
  world.advance(11s);
  const Answer third = pull();
  EXPECT_EQ(third.text("receivedMessages/0/message/messageId"), "1") << "the first lease was somebody else's by then";
  ack(third.text("receivedMessages/0/ackId"));
  world.advance(11s);
  EXPECT_EQ(pull().text("receivedMessages"), "null");
}

TEST_F(PubSubApi, a_lease_is_extended_and_given_back) {
  subscribe();
  publish("YQ==");
  const std::string id = pull().text("receivedMessages/0/ackId");
  EXPECT_EQ(post(sub + ":modifyAckDeadline", R"({"ackIds":[")" + id + R"("],"ackDeadlineSeconds":60})").status, 200);
  world.advance(50s);
  EXPECT_EQ(pull().text("receivedMessages"), "null");
  nack(id);
  EXPECT_EQ(pull().text("receivedMessages/0/message/messageId"), "1");
}

TEST_F(PubSubApi, of_a_key_only_the_first_is_out) {
  subscribe(R"(,"enableMessageOrdering":true)");
  publish("MQ==", R"(,"orderingKey":"a")");
  publish("Mg==", R"(,"orderingKey":"a")");
  publish("Mw==", R"(,"orderingKey":"b")");
  const Answer one = pull(1);
  EXPECT_EQ(one.text("receivedMessages/0/message/messageId"), "1");
  EXPECT_EQ(pull().text("receivedMessages/0/message/messageId"), "3") << "2 waits for 1";
  nack(one.text("receivedMessages/0/ackId"));
  const Answer both = pull();
  EXPECT_EQ(both.text("receivedMessages/0/message/messageId"), "1");
  EXPECT_EQ(both.text("receivedMessages/1/message/messageId"), "2") << "in one answer they are in order";
}

TEST_F(PubSubApi, what_fails_too_often_goes_to_the_dead_letters_after_its_backoff) {
  EXPECT_EQ(send("PUT", root + "/topics/dead", "{}").status, 200);
  EXPECT_EQ(send("PUT", root + "/subscriptions/dead-1", R"({"topic":"projects/p/topics/dead"})").status, 200);
  subscribe(R"(,"deadLetterPolicy":{"deadLetterTopic":"projects/p/topics/dead","maxDeliveryAttempts":2},
               "retryPolicy":{"minimumBackoff":"2s","maximumBackoff":"600s"})");
  publish("YQ==");
  const Answer first = pull();
  EXPECT_EQ(first.text("receivedMessages/0/deliveryAttempt"), "1");
  nack(first.text("receivedMessages/0/ackId"));
  EXPECT_EQ(pull().text("receivedMessages"), "null") << "the backoff";
  world.advance(2s);
  const Answer second = pull();
  EXPECT_EQ(second.text("receivedMessages/0/deliveryAttempt"), "2");
  nack(second.text("receivedMessages/0/ackId"));
  world.advance(4s);
  EXPECT_EQ(pull().text("receivedMessages"), "null");
  const Answer dead = post(root + "/subscriptions/dead-1:pull", R"({"maxMessages":1})");
  EXPECT_EQ(dead.text("receivedMessages/0/message/attributes/CloudPubSubDeadLetterSourceSubscription"), "sub-1");
}

TEST_F(PubSubApi, what_it_does_not_know_it_says) {
  subscribe();
  EXPECT_EQ(publish("!").status, 400);
  EXPECT_EQ(post(root + "/topics/topic-1:publish", R"({"messages":[]})").status, 400);
  EXPECT_EQ(post(root + "/topics/none:publish", R"({"messages":[{"data":"YQ=="}]})").text("error/status"), "NOT_FOUND");
  EXPECT_EQ(
      send("PUT", root + "/subscriptions/filtered", R"({"topic":"projects/p/topics/topic-1","filter":"x"})").status,
      501);
  EXPECT_EQ(post(sub + ":seek", "{}").status, 501);
}

}  // namespace
}  // namespace serin::google_emulator
