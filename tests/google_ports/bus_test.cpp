// Goal: what was published is delivered until it is acknowledged, over every kind of bus. Method: the same tests on
// SQLite and on Pub/Sub (the emulator), with what needs no time to pass.
#include <gtest/gtest.h>

#include <algorithm>

#include "places.hpp"

namespace serin::google_test {
namespace {

class EveryBus : public testing::TestWithParam<std::string> {
 protected:
  EveryBus() {
    EXPECT_TRUE(bus->create_topic("topic", soon()));
    EXPECT_TRUE(bus->create_topic("topic", soon())) << "existing is fine";
    EXPECT_TRUE(bus->create_topic("letters", soon()));
    const Status made = bus->create_subscription(options, soon());
    EXPECT_TRUE(made) << made.error().text();
  }
  Deadline soon() { return Deadline::after(real_time().now(), 30s); }
  std::vector<Delivery> pull(std::string_view subscription = "work") {
    auto got = bus->pull(subscription, 100, soon());
    EXPECT_TRUE(got) << got.error().text();
    std::ranges::sort(*got, {}, [](const Delivery& delivery) { return delivery.message.data; });
    return *std::move(got);
  }
  const SubscriptionOptions options{.name = "work",
                                    .topic = "topic",
                                    .ack_deadline = 60s,
                                    .max_attempts = 5,
                                    .min_backoff = 0s,
                                    .max_backoff = 0s,
                                    .dead_letter_topic = "letters",
                                    .push_service = "prediction-worker",
                                    .push_path = "/predict",
                                    .push_concurrency = 7};
  std::unique_ptr<Place> place = make_place(GetParam());
  Bus* bus = &place->bus();
};

TEST_P(EveryBus, delivers_to_each_subscription_until_acknowledged) {
  ASSERT_TRUE(bus->create_subscription({.name = "other", .topic = "topic"}, soon()));
  const auto ids = bus->publish(
      "topic", {{.data = "one", .attributes = {{"k", "v"}}}, {.data = std::string("t\0wo\xff", 5), .attributes = {}}},
      soon());
  ASSERT_TRUE(ids) << ids.error().text();
  ASSERT_EQ(ids->size(), 2u);
  const std::vector<Delivery> got = pull();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].message.data, "one");
  EXPECT_EQ(got[0].message.attributes.at("k"), "v");
  EXPECT_EQ(got[0].message_id, ids->at(0));
  EXPECT_EQ(got[0].attempt, 1);
  EXPECT_EQ(got[1].message.data, std::string("t\0wo\xff", 5));
  EXPECT_TRUE(pull().empty()) << "leased";
  ASSERT_TRUE(bus->ack("work", got[0].ack_id, soon()));
  EXPECT_EQ(pull("other").size(), 2u) << "its own copy";
}

TEST_P(EveryBus, delivers_again_what_is_given_back) {
  ASSERT_TRUE(bus->publish("topic", {{.data = "x", .attributes = {}}}, soon()));
  ASSERT_TRUE(bus->nack("work", pull().at(0).ack_id, "busy", soon()));
  const std::vector<Delivery> again = pull();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].attempt, 2);
  EXPECT_TRUE(bus->ack("work", again[0].ack_id, soon()));
  EXPECT_TRUE(pull().empty());
}

TEST_P(EveryBus, makes_poison_a_dead_letter) {
  ASSERT_TRUE(bus->create_subscription({.name = "cemetery", .topic = "letters"}, soon()));
  ASSERT_TRUE(bus->publish("topic", {{.data = "poison", .attributes = {}}}, soon()));
  for (int attempt = 1; attempt <= 5; ++attempt) {
    const std::vector<Delivery> got = pull();
    ASSERT_EQ(got.size(), 1u) << attempt;
    EXPECT_EQ(got[0].attempt, attempt);
    ASSERT_TRUE(bus->nack("work", got[0].ack_id, "HTTP 500", soon()));
  }
  EXPECT_TRUE(pull().empty());
  const std::vector<Delivery> dead = pull("cemetery");
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].message.data, "poison");
}

TEST_P(EveryBus, knows_its_subscriptions_and_changes_them) {
  SubscriptionOptions changed = options;
  changed.push_path = "/predict-batch";
  changed.ack_deadline = 90s;
  const Status made = bus->create_subscription(changed, soon());
  ASSERT_TRUE(made) << made.error().text();
  const auto list = bus->subscriptions(soon());
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->at(0).name, "work");
  EXPECT_EQ(list->at(0).topic, "topic");
  EXPECT_EQ(list->at(0).ack_deadline, 90s);
  EXPECT_EQ(list->at(0).max_attempts, 5);
  EXPECT_EQ(list->at(0).dead_letter_topic, "letters");
  EXPECT_EQ(list->at(0).push_service, "prediction-worker");
  EXPECT_EQ(list->at(0).push_path, "/predict-batch");
  EXPECT_EQ(list->at(0).push_concurrency, 7);
}

TEST_P(EveryBus, says_which_names_do_not_exist) {
  EXPECT_EQ(bus->publish("nothing", {{.data = "x", .attributes = {}}}, soon()).error().code(), Errc::not_found);
  EXPECT_EQ(bus->create_subscription({.name = "missing", .topic = "nothing"}, soon()).error().code(), Errc::not_found);
  EXPECT_EQ(bus->backlog("nothing", soon()).error().code(), Errc::not_found);
}

TEST_P(EveryBus, counts_its_backlog) {
  ASSERT_TRUE(bus->create_subscription({.name = "kept", .topic = "letters"}, soon()));
  const auto empty = bus->backlog("work", soon());
  ASSERT_TRUE(empty) << empty.error().text();
  EXPECT_EQ(empty->waiting, 0);
  EXPECT_EQ(empty->dead_letters, 0);
  ASSERT_TRUE(bus->publish("topic", {{.data = "x", .attributes = {}}}, soon()));
  const auto backlog = bus->backlog("work", soon());
  ASSERT_TRUE(backlog) << backlog.error().text();
  EXPECT_EQ(backlog->waiting, 1);
  EXPECT_TRUE(backlog->oldest.has_value());
  EXPECT_EQ(bus->backlog("nothing", soon()).error().code(), Errc::not_found);
}

INSTANTIATE_TEST_SUITE_P(Over, EveryBus, testing::Values("sqlite", "google"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace serin::google_test
