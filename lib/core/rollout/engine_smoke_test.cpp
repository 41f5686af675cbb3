// Goal: smoke tests of the candidate's own address stand before every stage, beside the data, and what they do not say
// is no pass. Method: the engine in a seeded world, and gates that answer as they are told.
#include "engine_under_test.hpp"

namespace serin::rollout {
namespace {

struct Smoked : Scene {
  Smoked() {
    smoke = &tests;
    options.smoke = {.file = "smoke.yaml"};
  }
  DataSays tests{"smoke.yaml"};
};

TEST(SmokeTests, are_asked_at_every_stage_at_the_candidates_own_replicas) {
  Smoked scene;
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  EXPECT_EQ(scene.tests.asked, (std::vector{GatePoint::before, GatePoint::between, GatePoint::after}));
  EXPECT_EQ(scene.tests.candidate.size(), 2u) << "each replica has an address of its own";
}

TEST(SmokeTests, that_fail_at_zero_percent_end_it_before_any_user_meets_it) {
  Smoked scene;
  scene.tests.answers = {GateVerdict::fail};
  const std::string reason = expect_outcome(scene, scene.deploy(), State::rolled_back, "v1=100");
  EXPECT_EQ(reason, "the smoke tests failed: 3 checks");
  for (const Split& split : scene.fleet.splits()) EXPECT_EQ(split_text(split), "v1=100");
  EXPECT_EQ(scene.fleet.user_failures(), 0);
}

TEST(SmokeTests, that_do_not_say_are_undecided) {
  Smoked scene;
  scene.tests.answers = {GateVerdict::pass, GateVerdict::unknown};
  scene.fleet.set_rate(1000);  // health is proved in time
  scene.options.on_undecided = scene.options.on_undecided_early = OnUndecided::hold;
  const std::string reason = expect_outcome(scene, scene.deploy(), State::held, "v1=95 v2=5");
  EXPECT_NE(reason.find("the smoke tests do not say"), std::string::npos) << reason;
}

TEST(SmokeTests, and_data_checks_have_both_to_pass_and_each_is_asked_once) {
  Smoked scene;
  DataSays data;
  data.answers = {GateVerdict::pass, GateVerdict::fail};
  scene.gate = &data;
  scene.options.gate = {.file = "checks.yaml"};
  const std::string reason = expect_outcome(scene, scene.deploy(), State::rolled_back, "v1=100");
  EXPECT_EQ(reason, "the data checks failed: 3 checks");
  EXPECT_EQ(scene.tests.asked, (std::vector{GatePoint::before, GatePoint::between}));
  EXPECT_EQ(data.asked, (std::vector{GatePoint::before, GatePoint::between}));
}

TEST(SmokeTests, of_a_plan_that_this_program_cannot_ask_are_undecided) {
  Smoked scene;
  scene.smoke = nullptr;
  scene.options.on_undecided_early = OnUndecided::hold;
  const std::string reason = expect_outcome(scene, scene.deploy(), State::held, "v1=100");
  EXPECT_NE(reason.find("this program cannot ask them"), std::string::npos) << reason;
}

}  // namespace
}  // namespace serin::rollout
