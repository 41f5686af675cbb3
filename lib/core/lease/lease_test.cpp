// Goal: one holder at a time, a dead one is followed, a late one is told apart by its token. Method: documents and time
// of memory.
#include "serin/lease/lease.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "serin/sim/memory_documents.hpp"
#include "serin/sim/world.hpp"

namespace serin {
namespace {

class Leases : public testing::Test {
 protected:
  Result<Lease> acquire(std::string holder) {
    return Lease::acquire(documents, world.sleeper(), {.name = "merge", .holder = std::move(holder), .ttl = 10s},
                          never);
  }
  const Deadline never = Deadline::never();
  sim::World world;
  sim::MemoryDocuments documents;
};

TEST_F(Leases, have_one_holder_and_name_him) {
  const auto first = acquire("anna");
  ASSERT_TRUE(first);
  const auto second = acquire("ben");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::conflict);
  EXPECT_NE(second.error().detail().find("anna"), std::string::npos) << second.error().text();
  EXPECT_EQ((*inspect_lease(documents, "leases", "merge", never))->holder, "anna");
}

TEST_F(Leases, move_on_when_their_holder_is_silent) {
  auto first = acquire("anna");
  world.advance(9s);
  ASSERT_TRUE(first->renew(never));
  world.advance(9s);
  EXPECT_FALSE(acquire("ben")) << "renewed";
  EXPECT_TRUE(first->is_ours(world.now()));
  world.advance(2s);
  EXPECT_FALSE(first->is_ours(world.now())) << "it knows by its own clock";
  const auto second = acquire("ben");
  ASSERT_TRUE(second);
  EXPECT_GT(second->token(), first->token()) << "what the late one writes can be told apart";
  const Status late = first->renew(never);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Errc::conflict);
}

TEST_F(Leases, a_late_holder_does_not_free_somebody_elses) {
  auto first = acquire("anna");
  world.advance(11s);
  const auto second = acquire("ben");
  ASSERT_TRUE(second);
  EXPECT_TRUE(first->release(never)) << "nothing of his to give back";
  EXPECT_FALSE(acquire("cleo"));
}

TEST_F(Leases, of_who_is_known_to_be_gone_need_not_run_out) {
  auto first = acquire("anna");
  std::vector<std::string> asked;
  const auto knowing = [&](bool gone) {
    return Lease::acquire(documents, world.sleeper(),
                          {.name = "merge",
                           .holder = "ben",
                           .is_gone =
                               [&, gone](std::string_view holder) {
                                 asked.emplace_back(holder);
                                 return gone;
                               }},
                          never);
  };
  EXPECT_EQ(knowing(false).error().code(), Errc::conflict);
  const auto second = knowing(true);
  ASSERT_TRUE(second);
  EXPECT_EQ(asked, (std::vector<std::string>{"anna", "anna"}));
  EXPECT_GT(second->token(), first->token());
  EXPECT_EQ(first->renew(never).error().code(), Errc::conflict) << "had it lived after all, it would be told";
}

TEST_F(Leases, tokens_grow_also_over_releases) {
  auto first = acquire("anna");
  const std::int64_t token = first->token();
  ASSERT_TRUE(first->release(never));
  const auto second = acquire("ben");
  ASSERT_TRUE(second);
  EXPECT_GT(second->token(), token);
}

TEST_F(Leases, unreachable_documents_are_no_lease) {
  documents.break_down(true);
  EXPECT_EQ(acquire("anna").error().code(), Errc::unavailable);
  documents.break_down(false);
  auto first = acquire("anna");
  documents.break_down(true);
  EXPECT_EQ(first->renew(never).error().code(), Errc::unavailable);
  EXPECT_TRUE(first->is_ours(world.now())) << "not lost yet, only not longer";
}

TEST_F(Leases, nonsense_is_refused) {
  EXPECT_EQ(Lease::acquire(documents, world.sleeper(), {.name = "x"}, never).error().code(), Errc::invalid_argument);
  ASSERT_TRUE(documents.put("leases", "merge", "no json", 0, never));
  EXPECT_EQ(acquire("anna").error().code(), Errc::data_loss);
}

}  // namespace
}  // namespace serin
