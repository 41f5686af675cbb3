// Goal: what was published is delivered until it is acknowledged, to every subscription, whoever dies. Method: a clock
// of the test for leases and backoff; real processes and kill -9 for durability.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_bus.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/clock.hpp"

namespace serin {
namespace {

class BusOnFile : public testing::Test {
 protected:
  BusOnFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-bus-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    sql = SqliteSql::open({.path = folder + "/b.db"}, world.sleeper()).value();
    bus = SqliteBus::open(*sql, world.sleeper(), world.random()).value();
    EXPECT_TRUE(bus->create_topic("t", never));
    EXPECT_TRUE(bus->create_topic("dead", never));
    EXPECT_TRUE(bus->create_subscription({.name = "s",
                                          .topic = "t",
                                          .ack_deadline = 10s,
                                          .max_attempts = 3,
                                          .min_backoff = 1s,
                                          .max_backoff = 4s,
                                          .dead_letter_topic = "dead"},
                                         never));
  }
  ~BusOnFile() override {
    bus.reset();
    sql.reset();
    std::filesystem::remove_all(folder);
  }
  std::vector<Delivery> pull(std::string_view subscription = "s") {
    return bus->pull(subscription, 100, never).value();
  }
  const Deadline never = Deadline::never();
  std::string folder;
  sim::World world;
  std::unique_ptr<SqliteSql> sql;
  std::unique_ptr<SqliteBus> bus;
};

TEST_F(BusOnFile, delivers_once_to_each_subscription_until_acknowledged) {
  ASSERT_TRUE(bus->create_subscription({.name = "other", .topic = "t"}, never));
  const auto ids = bus->publish("t", {{.data = "one", .attributes = {{"k", "v"}}}, {.data = "two"}}, never);
  ASSERT_TRUE(ids && ids->size() == 2);
  const std::vector<Delivery> got = pull();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].message.data, "one");
  EXPECT_EQ(got[0].message.attributes.at("k"), "v");
  EXPECT_EQ(got[0].message_id, ids->at(0));
  EXPECT_EQ(got[0].attempt, 1);
  EXPECT_TRUE(pull().empty()) << "leased";
  ASSERT_TRUE(bus->ack("s", got[0].ack_id, never));
  EXPECT_EQ(bus->ack("s", got[0].ack_id, never).error().code(), Errc::conflict);
  EXPECT_EQ(pull("other").size(), 2u) << "its own copy";
  EXPECT_EQ(bus->backlog("s", never)->leased, 1);
}

TEST_F(BusOnFile, a_holder_that_dies_loses_its_lease) {
  ASSERT_TRUE(bus->publish("t", {{.data = "x"}}, never));
  const std::vector<Delivery> first = pull();
  world.advance(11s);
  const std::vector<Delivery> second = pull();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].attempt, 2);
  EXPECT_EQ(bus->ack("s", first[0].ack_id, never).error().code(), Errc::conflict) << "the late holder is fenced off";
  EXPECT_TRUE(bus->ack("s", second[0].ack_id, never));
}

TEST_F(BusOnFile, what_is_given_back_waits_longer_each_time) {
  ASSERT_TRUE(bus->publish("t", {{.data = "x"}}, never));
  ASSERT_TRUE(bus->nack("s", pull()[0].ack_id, "busy", never));
  EXPECT_TRUE(pull().empty());
  world.advance(1s);
  const std::vector<Delivery> again = pull();
  ASSERT_EQ(again.size(), 1u);
  ASSERT_TRUE(bus->nack("s", again[0].ack_id, "busy", never));
  world.advance(1s);
  EXPECT_TRUE(pull().empty()) << "two seconds now";
  world.advance(1s);
  EXPECT_EQ(pull().size(), 1u);
}

TEST_F(BusOnFile, poison_becomes_a_dead_letter_with_its_reason) {
  ASSERT_TRUE(bus->create_subscription({.name = "cemetery", .topic = "dead"}, never));
  ASSERT_TRUE(bus->publish("t", {{.data = "poison"}}, never));
  for (int attempt = 0; attempt < 3; ++attempt) {
    ASSERT_TRUE(bus->nack("s", pull().at(0).ack_id, "HTTP 500", never));
    world.advance(5s);
  }
  EXPECT_TRUE(pull().empty());
  const std::vector<Delivery> dead = pull("cemetery");
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].message.data, "poison");
  EXPECT_EQ(dead[0].message.attributes.at("dead_letter_reason"), "HTTP 500");
  EXPECT_EQ(bus->backlog("s", never)->dead_letters, 1);
}

TEST_F(BusOnFile, a_dead_letter_that_nobody_would_get_is_kept_and_counted) {
  ASSERT_TRUE(bus->publish("t", {{.data = "poison"}}, never));
  for (int attempt = 0; attempt < 3; ++attempt) {
    ASSERT_EQ(pull().size(), 1u);
    world.advance(11s);  // its holder dies each time
  }
  EXPECT_TRUE(pull().empty());
  EXPECT_EQ(bus->backlog("s", never)->dead_letters, 1);
  EXPECT_EQ(bus->backlog("s", never)->waiting, 0);
}

TEST_F(BusOnFile, what_is_done_leaves_no_row) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(bus->publish("t", {{.data = "x"}}, never));
  for (const Delivery& delivery : pull()) ASSERT_TRUE(bus->ack("s", delivery.ack_id, never));
  EXPECT_EQ(sql->query("SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM deliveries)", {}, never)
                ->rows.at(0)
                .at(0),
            SqlValue(std::int64_t{0}));
}

TEST_F(BusOnFile, names_that_do_not_exist_are_said) {
  EXPECT_EQ(bus->publish("nothing", {{.data = "x"}}, never).error().code(), Errc::not_found);
  EXPECT_EQ(bus->create_subscription({.name = "q", .topic = "nothing"}, never).error().code(), Errc::not_found);
  EXPECT_EQ(bus->backlog("nothing", never).error().code(), Errc::not_found);
}

TEST_F(BusOnFile, kill_9_of_publisher_and_consumer_loses_no_message) {
  // A publisher tells every id once it is published, a consumer every id before it acknowledges; both are killed.
  std::array<int, 2> published{};
  std::array<int, 2> consumed{};
  ASSERT_EQ(pipe(published.data()), 0);
  ASSERT_EQ(pipe(consumed.data()), 0);
  const std::string path = folder + "/b.db";
  SystemClock clock;
  const int publisher = fork();
  if (publisher == 0) {
    sim::SeededRandom random(1);
    const auto own = SqliteSql::open({.path = path}, clock);
    const auto own_bus = SqliteBus::open(**own, clock, random);
    for (;;) {
      const auto ids = (*own_bus)->publish("t", {{.data = "x"}}, Deadline::never());
      const std::int64_t id = ids ? std::stoll(ids->at(0)) : -1;
      if (write(published[1], &id, sizeof id) < 0) _exit(1);
    }
  }
  const int consumer = fork();
  if (consumer == 0) {
    sim::SeededRandom random(2);
    const auto own = SqliteSql::open({.path = path}, clock);
    const auto own_bus = SqliteBus::open(**own, clock, random);
    for (;;) {
      const auto got = (*own_bus)->pull("s", 1, Deadline::never());
      if (!got) _exit(1);
      for (const Delivery& delivery : *got) {
        const std::int64_t id = std::stoll(delivery.message_id);
        if (write(consumed[1], &id, sizeof id) < 0) _exit(1);
        static_cast<void>((*own_bus)->ack("s", delivery.ack_id, Deadline::never()));
      }
    }
  }
  std::set<std::int64_t> sent;
  std::set<std::int64_t> seen;
  const auto take = [](int from, std::set<std::int64_t>& into) {
    std::int64_t id = 0;
    ASSERT_EQ(read(from, &id, sizeof id), static_cast<ssize_t>(sizeof id));
    ASSERT_GT(id, 0);
    into.insert(id);
  };
  for (int i = 0; i < 60; ++i) take(published[0], sent);
  for (int i = 0; i < 20; ++i) take(consumed[0], seen);
  kill(publisher, SIGKILL);
  kill(consumer, SIGKILL);
  waitpid(publisher, nullptr, 0);
  waitpid(consumer, nullptr, 0);
  close(published[1]);
  close(consumed[1]);
  for (std::int64_t id = 0; read(published[0], &id, sizeof id) == static_cast<ssize_t>(sizeof id);) sent.insert(id);
  for (std::int64_t id = 0; read(consumed[0], &id, sizeof id) == static_cast<ssize_t>(sizeof id);) seen.insert(id);
  close(published[0]);
  close(consumed[0]);
  // The rest, at a later date than the end of every lease; deadlines stay on the clock of the database.
  struct Later final : Clock {
    explicit Later(const sim::World& owner) : world(owner) {}
    Instant now() const override { return world.now(); }
    WallTime wall() const override { return SystemClock().wall() + std::chrono::minutes(1); }
    const sim::World& world;
  } later(world);
  const auto rest = SqliteBus::open(*sql, later, world.random()).value();
  for (;;) {
    const auto got = rest->pull("s", 100, never);
    ASSERT_TRUE(got);
    if (got->empty()) break;
    for (const Delivery& delivery : *got) {
      seen.insert(std::stoll(delivery.message_id));
      ASSERT_TRUE(rest->ack("s", delivery.ack_id, never));
    }
  }
  for (const std::int64_t id : sent)
    EXPECT_TRUE(seen.contains(id)) << "message " << id << " was published and never delivered";
}

}  // namespace
}  // namespace serin
