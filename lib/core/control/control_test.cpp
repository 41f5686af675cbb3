// Goal: what one side writes the other reads, also through another store on the same file, and silence is not health.
#include <gtest/gtest.h>

#include <filesystem>

#include "serin/control/control_store.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::control {
namespace {

class Control : public testing::Test {
 protected:
  Control() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-control-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    sql = SqliteSql::open({.path = folder + "/state.db"}, world.sleeper()).value();
    store = ControlStore::open(*sql, world.sleeper()).value();
  }
  ~Control() override {
    store.reset();
    sql.reset();
    std::filesystem::remove_all(folder);
  }
  static ReleaseSpec release(std::string_view name, std::string digest = "sha256:1") {
    return {.name = ReleaseName::make(name).value(),
            .command = {"/bin/x", "y"},
            .environment = {{"A", "b"}},
            .directory = "/",
            .replicas = 2,
            .digest = std::move(digest)};
  }
  sim::World world;
  std::string folder;
  std::unique_ptr<SqliteSql> sql;
  std::unique_ptr<ControlStore> store;
  const ServiceName shop = ServiceName::make("shop").value();
};

TEST_F(Control, what_is_desired_survives_the_process) {
  ASSERT_TRUE(store->want_running(shop, release("v1")));
  ASSERT_TRUE(store->save_split(shop, {{ReleaseName::make("v1").value(), 100}}));
  const auto again_sql = SqliteSql::open({.path = folder + "/state.db"}, world.sleeper());
  const auto again = ControlStore::open(**again_sql, world.sleeper());
  const auto desired = (*again)->desired();
  ASSERT_TRUE(desired && desired->size() == 1);
  EXPECT_TRUE(desired->front().running);
  EXPECT_EQ(desired->front().spec.environment.at("A"), "b");
  EXPECT_EQ((*again)->split(shop).value(), (Split{{ReleaseName::make("v1").value(), 100}}));
  ASSERT_TRUE((*again)->want_stopped(shop, ReleaseName::make("v1").value()));
  EXPECT_FALSE(store->desired()->front().running);
  EXPECT_EQ(store->want_stopped(shop, ReleaseName::make("v9").value()).error().code(), Errc::not_found);
}

TEST_F(Control, another_content_under_a_running_name_is_refused) {
  ASSERT_TRUE(store->want_running(shop, release("v1")));
  EXPECT_TRUE(store->want_running(shop, release("v1"))) << "the same again is fine";
  const Status other = store->want_running(shop, release("v1", "sha256:2"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Errc::conflict);
  ASSERT_TRUE(store->want_stopped(shop, ReleaseName::make("v1").value()));
  EXPECT_TRUE(store->want_running(shop, release("v1", "sha256:2"))) << "nothing runs under it any more";
}

TEST_F(Control, an_agent_that_is_silent_is_not_running) {
  StorePlatform platform(*store, {shop});
  StoreTraffic traffic(*store);
  const Deadline deadline = Deadline::never();
  EXPECT_EQ(store->check_alive().error().code(), Errc::unavailable);
  ASSERT_TRUE(store->beat({.pid = 7, .at = world.now()}));
  ASSERT_TRUE(store->end_beats());
  EXPECT_EQ(store->heartbeat().value().has_value(), false) << "it ended in order";
  EXPECT_EQ(store->check_alive().error().code(), Errc::unavailable);
  ASSERT_TRUE(store->beat({.pid = 7, .at = world.now()}));
  EXPECT_TRUE(store->check_alive());
  EXPECT_TRUE(platform.start(shop, release("v1"), deadline));
  EXPECT_TRUE(traffic.read(shop, 0, deadline));
  world.advance(4s);
  EXPECT_EQ(store->check_alive().error().code(), Errc::unavailable);
  EXPECT_EQ(platform.start(shop, release("v1"), deadline).error().code(), Errc::unavailable);
  EXPECT_EQ(platform.replicas(shop, release("v1").name, deadline).error().code(), Errc::unavailable)
      << "stale is unknown";
  EXPECT_EQ(traffic.read(shop, 0, deadline).error().code(), Errc::unavailable) << "no data is not no traffic";
  EXPECT_TRUE(platform.stop(shop, release("v1").name, deadline)) << "wanted, for the next agent";
  EXPECT_EQ(platform.start(ServiceName::make("other").value(), release("v1"), deadline).error().code(),
            Errc::not_found);
}

TEST_F(Control, replicas_are_read_as_written) {
  const ObservedReplica seen{.service = shop,
                             .release = release("v1").name,
                             .index = 1,
                             .replica = {.name = "v1-1",
                                         .address = "127.0.0.1:9",
                                         .state = ReplicaState::crash_looping,
                                         .restarts = 3,
                                         .reason = "exit code 3: it's 'gone'",
                                         .log = "/x/v1-1.log"},
                             .pid = 77,
                             .process_started = 12345};
  ASSERT_TRUE(store->save_replicas({seen}));
  const auto read = store->replicas();
  ASSERT_TRUE(read && read->size() == 1);
  EXPECT_EQ(read->front().replica.reason, seen.replica.reason);
  EXPECT_EQ(read->front().replica.state, ReplicaState::crash_looping);
  EXPECT_EQ(read->front().pid, 77);
  EXPECT_EQ(read->front().process_started, 12345);
}

TEST_F(Control, seconds_of_traffic_come_back_in_order) {
  ASSERT_TRUE(store->beat({.pid = 7, .at = world.now()}));
  for (std::int64_t second = 10; second < 13; ++second) {
    TrafficSecond counted{.second = second, .unattributed = second == 11 ? 1 : 0};
    if (second != 12) counted.counts.push_back({.release = release("v1").name, .requests = second, .errors = 1});
    ASSERT_TRUE(store->add_second({{"shop", counted}},
                                  {{.second = second, .release = "v1", .status = 500, .what = "GET /x"}}, {"shop"}));
  }
  const auto window = store->traffic(shop, 10);
  ASSERT_TRUE(window && window->seconds.size() == 2);
  EXPECT_EQ(window->complete, 12);
  EXPECT_EQ(window->seconds[0].unattributed, 1);
  EXPECT_EQ(window->seconds[0].counts.at(0).requests, 11);
  EXPECT_TRUE(window->seconds[1].counts.empty()) << "a second without requests is a second too";
  EXPECT_EQ(store->traffic(shop, 12)->complete, 12) << "nothing new";
  EXPECT_EQ(store->failures(shop, 11, 20, 100)->size(), 2u);
}

TEST_F(Control, how_long_requests_took_comes_back_and_unknown_stays_unknown) {
  LatencyHistogram took;
  took.add(3, 5);
  took.add(99'999);
  const auto v1 = release("v1").name;
  const auto v2 = release("v2").name;
  ASSERT_TRUE(store->add_second({{"shop",
                                  {.second = 5,
                                   .counts = {{.release = v1, .requests = 6, .latency = took},
                                              {.release = v2, .requests = 1, .latency = LatencyHistogram()}}}}},
                                {}, {}));
  ASSERT_TRUE(store->add_second({{"shop", {.second = 6, .counts = {{.release = v1, .requests = 6}}}}}, {}, {}));
  ASSERT_TRUE(
      sql->execute("INSERT INTO traffic_counts VALUES('shop', 7, 'v1', 9, 0, 0, '2:1=9')", {}, Deadline::never()));
  ASSERT_TRUE(sql->execute("INSERT INTO traffic VALUES('shop', 7, 0, 0)", {}, Deadline::never()));
  const auto window = store->traffic(shop, 4);
  ASSERT_TRUE(window && window->seconds.size() == 3);
  EXPECT_EQ(window->seconds[0].counts[0].latency, took);
  EXPECT_EQ(window->seconds[0].counts[1].latency, LatencyHistogram()) << "nothing took any time, and that is known";
  EXPECT_EQ(window->seconds[1].counts[0].latency, std::nullopt);
  EXPECT_EQ(window->seconds[2].counts[0].latency, std::nullopt) << "a later version's cells are not ours";
}

TEST_F(Control, a_database_of_an_earlier_version_learns_the_column) {
  const auto never = Deadline::never();
  ASSERT_TRUE(sql->execute("DROP TABLE traffic_counts", {}, never));
  ASSERT_TRUE(
      sql->execute("CREATE TABLE traffic_counts(service TEXT, second INTEGER, release TEXT, requests INTEGER, "
                   "errors INTEGER, hidden INTEGER, PRIMARY KEY(service, second, release)) WITHOUT ROWID",
                   {}, never));
  ASSERT_TRUE(sql->execute("INSERT INTO traffic_counts VALUES('shop', 5, 'v1', 9, 1, 0)", {}, never));
  ASSERT_TRUE(sql->execute("INSERT INTO traffic VALUES('shop', 5, 0, 0)", {}, never));
  const auto again = ControlStore::open(*sql, world.sleeper());
  ASSERT_TRUE(again) << again.error().text();
  ASSERT_TRUE(ControlStore::open(*sql, world.sleeper())) << "once more";
  const auto window = (*again)->traffic(shop, 4);
  ASSERT_TRUE(window && window->seconds.size() == 1);
  EXPECT_EQ(window->seconds[0].counts.at(0).requests, 9);
  EXPECT_EQ(window->seconds[0].counts.at(0).latency, std::nullopt) << "an old row is unknown, not zero";
}

}  // namespace
}  // namespace serin::control
