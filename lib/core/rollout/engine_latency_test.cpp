// Goal: a release that is slower than it may be is taken back, one that is not is left alone, and what is not known of
// latency says nothing of it. Method: the engine in a seeded world, where requests take a drawn time.
#include "engine_under_test.hpp"

namespace serin::rollout {
namespace {

/// Half a minute of users before, and stages long enough to see something.
struct Timed : Scene {
  explicit Timed(std::uint64_t seed = 1) : Scene(seed) {
    options.early_promotion = false;
    options.latency.warm_up = 3s;
    world.advance(30s);
  }
  void expect_taken_back() {
    const std::string reason = expect_outcome(*this, deploy(), State::rolled_back, "v1=100");
    EXPECT_NE(reason.find("worse: the new version is slower: "), std::string::npos) << reason;
    EXPECT_NE(reason.find(" ms"), std::string::npos) << reason;
  }
};

TEST(Slow, release_is_taken_back_although_nothing_fails) {
  Timed scene;
  scene.fleet.behave(release("v2"), {.takes = 60ms});
  scene.expect_taken_back();
  EXPECT_TRUE(scene.journal.records.front().plan.learned_latency);
  EXPECT_NE(scene.notes.text().find("note before, requests to v1 took "), std::string::npos) << scene.notes.text();
  EXPECT_LT(scene.journal.records.front().buckets.back().stage, 1) << "at 5 % already";
}

TEST(Slow, tail_is_taken_back_too) {
  Timed scene;
  scene.fleet.behave(release("v2"), {.stalls = 0.1});
  scene.expect_taken_back();
}

TEST(Slow, release_is_found_without_a_past_too) {
  Timed scene;
  scene.options.past.window = 0s;
  scene.fleet.behave(release("v2"), {.takes = 60ms});
  scene.expect_taken_back();
}

TEST(Slow, release_after_a_time_at_zero_percent_is_judged_by_what_was_learned_there) {
  Timed scene;
  scene.options.past.window = 0s;
  scene.options.zero_duration = 20s;
  scene.fleet.behave(release("v2"), {.stalls = 0.1});
  scene.expect_taken_back();
}

TEST(Slow, by_little_or_with_everybody_else_is_no_fault) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Timed same(seed);
    expect_outcome(same, same.deploy(), State::promoted, "v2=100");
    Timed little(seed);
    little.fleet.behave(release("v2"), {.takes = 22ms});
    expect_outcome(little, little.deploy(), State::promoted, "v2=100");
    Timed both(seed);
    both.world.at(both.world.now() + 20s, [&] { both.fleet.set_slowness(100ms); });
    expect_outcome(both, both.deploy(), State::promoted, "v2=100");
  }
}

TEST(Slow, release_of_which_nobody_knows_it_is_judged_by_its_errors_and_that_is_said) {
  Timed scene;
  scene.fleet.hide_latency(true);
  scene.world.advance(2h);
  scene.fleet.behave(release("v2"), {.takes = 60ms});
  const Result<Report> report = scene.deploy();
  expect_outcome(scene, report, State::promoted, "v2=100");
  EXPECT_NE(scene.notes.text().find("how long requests to v1 took before is not known"), std::string::npos)
      << scene.notes.text();
  ASSERT_TRUE(report);
  EXPECT_EQ(latency_text(report->canary), "not known");
}

TEST(Slow, release_is_left_alone_where_nobody_asked) {
  Timed scene;
  scene.options.latency.judged = false;
  scene.fleet.behave(release("v2"), {.takes = 60ms});
  const Result<Report> report = scene.deploy();
  expect_outcome(scene, report, State::promoted, "v2=100");
  ASSERT_TRUE(report);
  EXPECT_EQ(latency_text(report->stages.back().canary).substr(0, 4), "p50 ") << "and its percentiles are told";
  EXPECT_NE(report_json(*report).find("\"p95\":{\"above\":"), std::string::npos);
}

}  // namespace
}  // namespace serin::rollout
