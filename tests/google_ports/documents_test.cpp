// Goal: compare-and-set, leases and their tokens hold over every kind of documents. Method: the same tests on SQLite
// and on Firestore (the emulator); the time of leases is the test's.
#include <gtest/gtest.h>

#include <thread>

#include "places.hpp"
#include "serin/lease/lease.hpp"
#include "serin/sim/world.hpp"

namespace serin::google_test {
namespace {

class EveryDocuments : public testing::TestWithParam<std::string> {
 protected:
  Deadline soon() { return Deadline::after(real_time().now(), 30s); }
  Result<Lease> acquire(std::string holder) {
    return Lease::acquire(*documents, world.sleeper(), {.name = "merge of 2026/01/21", .holder = std::move(holder)},
                          Deadline::never());
  }
  sim::World world;
  std::unique_ptr<Place> place = make_place(GetParam());
  Documents* documents = &place->documents();
};

TEST_P(EveryDocuments, replace_only_the_expected_version) {
  EXPECT_FALSE(documents->get("c", "x", soon())->has_value());
  const auto first = documents->put("c", "x", "{}", 0, soon());
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_GE(*first, 1);
  EXPECT_EQ(documents->put("c", "x", "{}", 0, soon()).error().code(), Errc::conflict) << "it exists already";
  const auto second = documents->put("c", "x", R"({"a":1,"b":[{"c":0.5},null]})", *first, soon());
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_GT(*second, *first);
  EXPECT_EQ(documents->put("c", "x", "{}", *first, soon()).error().code(), Errc::conflict);
  const auto same = documents->put("c", "x", R"({"a":1,"b":[{"c":0.5},null]})", *second, soon());
  ASSERT_TRUE(same) << same.error().text();
  EXPECT_GT(*same, *second) << "also when nothing changes";
  EXPECT_EQ((*documents->get("c", "x", soon()))->version, *same);
  EXPECT_FALSE(documents->get("other", "x", soon())->has_value());
}

TEST_P(EveryDocuments, never_use_a_version_twice) {
  const auto first = documents->put("c", "x", "{}", 0, soon());
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(documents->erase("c", "x", *first + 1, soon()).error().code(), Errc::conflict);
  ASSERT_TRUE(documents->erase("c", "x", *first, soon()));
  EXPECT_EQ(documents->erase("c", "x", *first, soon()).error().code(), Errc::conflict);
  const auto again = documents->put("c", "x", "{}", 0, soon());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_GT(*again, *first) << "a late writer with the old version must not win";
}

TEST_P(EveryDocuments, list_by_id) {
  for (const char* id : {"b", "a", "c/d"}) ASSERT_TRUE(documents->put("c", id, R"({"n":1})", 0, soon()));
  const auto list = documents->list("c", soon());
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ(list->at(0).id, "a");
  EXPECT_EQ(list->at(2).id, "c/d");
  EXPECT_EQ(list->at(2).json, R"({"n":1})");
  EXPECT_TRUE(documents->list("nothing", soon())->empty());
}

TEST_P(EveryDocuments, lose_no_increment) {
  ASSERT_TRUE(documents->put("c", "n", R"({"n":0})", 0, soon()));
  const auto number = [](const std::string& json) { return std::stoi(json.substr(json.find(':') + 1)); };
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int done = 0; done < 25;) {
          const auto now = documents->get("c", "n", soon());
          ASSERT_TRUE(now && *now);
          const std::string next = R"({"n":)" + std::to_string(number((*now)->json) + 1) + "}";
          if (documents->put("c", "n", next, (*now)->version, soon())) ++done;
        }
      });
  }
  EXPECT_EQ((*documents->get("c", "n", soon()))->json, R"({"n":100})");
}

TEST_P(EveryDocuments, keep_leases_that_move_on_when_their_holder_is_silent) {
  auto first = acquire("anna");
  ASSERT_TRUE(first) << first.error().text();
  const auto refused = acquire("ben");
  EXPECT_EQ(refused.error().code(), Errc::conflict);
  EXPECT_NE(refused.error().detail().find("anna"), std::string::npos) << refused.error().text();
  world.advance(9s);
  ASSERT_TRUE(first->renew(Deadline::never()));
  world.advance(9s);
  EXPECT_FALSE(acquire("ben")) << "renewed";
  world.advance(2s);
  auto second = acquire("ben");
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_GT(second->token(), first->token()) << "what the late one writes can be told apart";
  EXPECT_EQ(first->renew(Deadline::never()).error().code(), Errc::conflict);
  EXPECT_TRUE(first->release(Deadline::never())) << "nothing of his to give back";
  EXPECT_FALSE(acquire("cleo"));
  const std::int64_t token = second->token();
  ASSERT_TRUE(second->release(Deadline::never()));
  const auto third = acquire("cleo");
  ASSERT_TRUE(third) << third.error().text();
  EXPECT_GT(third->token(), token) << "also over a release";
}

TEST_P(EveryDocuments, give_a_lease_to_one_of_many_at_once) {
  std::atomic<int> holders = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        if (acquire("holder " + std::to_string(t))) ++holders;
      });
  }
  EXPECT_EQ(holders, 1);
}

INSTANTIATE_TEST_SUITE_P(Over, EveryDocuments, testing::Values("sqlite", "google"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace serin::google_test
