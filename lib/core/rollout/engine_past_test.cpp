// Goal: a rollout learns from the traffic before it, keeps that in its journal, and goes on without it when it cannot
// be read. Method: the engine in a seeded world.
#include "engine_under_test.hpp"

namespace serin::rollout {
namespace {

TEST(Past, is_learned_before_the_first_action_and_journalled) {
  Scene scene;
  scene.world.advance(10min);
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  const std::optional<judge::History>& learned = scene.journal.records.front().plan.learned;
  ASSERT_TRUE(learned);
  EXPECT_GT(learned->requests, 50'000);
  EXPECT_EQ(learned->errors, 0);
  EXPECT_NE(scene.notes.text().find("before, 0 of "), std::string::npos) << scene.notes.text();
}

TEST(Past, that_is_too_short_is_said_to_be_so) {
  Scene scene;
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  EXPECT_EQ(scene.journal.records.front().plan.learned, judge::History{});
  EXPECT_NE(scene.notes.text().find("v1 was seen for less than 5m before"), std::string::npos) << scene.notes.text();
}

TEST(Past, that_cannot_be_read_stops_nothing) {
  Scene scene;
  scene.world.advance(10min);
  int reads = 0;
  scene.fleet.outside.before = [&](std::string_view call) -> Status {
    if (call == "traffic.read" && ++reads == 1) return fail(Errc::unavailable, "not now");
    return {};
  };
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  EXPECT_FALSE(scene.journal.records.front().plan.learned);
  EXPECT_NE(scene.notes.text().find("nothing is learned of v1 before: not now"), std::string::npos)
      << scene.notes.text();
}

TEST(Past, of_both_getting_worse_together_holds_the_rollout) {
  Scene scene;
  scene.world.advance(10min);
  scene.options.early_promotion = false;
  scene.world.at(scene.world.now() + 40s, [&] { scene.fleet.set_outage(0.06); });
  const std::string reason = expect_outcome(scene, scene.deploy(), State::held, "v1=95 v2=5");
  EXPECT_NE(reason.find("an incident of both versions"), std::string::npos) << reason;
}

}  // namespace
}  // namespace serin::rollout
