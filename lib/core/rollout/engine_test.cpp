// Goal: whatever happens, a rollout ends promoted or restored, says why, and never counts unknown as healthy. Method:
// the engine in a seeded world whose time only moves when somebody waits; faults and kills at every call to the
// outside.
#include "engine_under_test.hpp"

namespace serin::rollout {
namespace {

TEST(Rollout, takes_a_healthy_release_through_every_stage_to_all_of_the_traffic) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Scene scene(seed);
    const Result<Report> report = scene.deploy();
    expect_outcome(scene, report, State::promoted, "v2=100");
    ASSERT_EQ(scene.fleet.splits().size(), 3u) << "seed " << seed;
    EXPECT_EQ(split_text(scene.fleet.splits()[0]), "v1=95 v2=5");
    EXPECT_EQ(split_text(scene.fleet.splits()[1]), "v1=50 v2=50");
    EXPECT_FALSE(scene.fleet.is_running(release("v1"))) << "the old one is ended";
    EXPECT_EQ(scene.fleet.user_failures(), 0);
    for (const StageReport& stage : report->stages)
      if (stage.percent > 0) {
        EXPECT_TRUE(stage.verdict.starts_with("healthy: ")) << stage.verdict;
      }
  }
}

TEST(Rollout, takes_a_release_with_five_percent_errors_back_to_exactly_what_was) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Scene scene(seed);
    scene.fleet.set_rate(300);
    scene.fleet.behave(release("v2"), {.error_rate = 0.05});
    const Result<Report> report = scene.deploy();
    expect_outcome(scene, report, State::rolled_back, "v1=100");
    EXPECT_FALSE(scene.fleet.is_running(release("v2")));
    ASSERT_TRUE(report->first_bad && report->restored_at) << scene.story(report);
    EXPECT_GT(report->canary_user_failures, 0);
    EXPECT_LT(*report->restored_at - *report->verdict_at, 1s);
  }
}

TEST(Rollout, of_what_cannot_start_gives_it_no_request_and_names_the_reason) {
  for (const auto& [behaviour, words] :
       {std::pair{sim::Behaviour{.crash_after = 500ms}, "MODEL_PATH is not set"},
        std::pair{sim::Behaviour{.ready_after = 1h}, "not ready within 10s"},
        std::pair{sim::Behaviour{.claims_service = "other"}, "says service 'other'"},
        std::pair{sim::Behaviour{.breaks_contract = true}, "breaks the health contract"},
        std::pair{sim::Behaviour{.deep_fails = true}, "/health/deep answered 503"}}) {
    Scene scene;
    scene.fleet.behave(release("v2"), behaviour);
    const Result<Report> report = scene.deploy();
    const std::string reason = expect_outcome(scene, report, State::failed_to_start, "v1=100");
    EXPECT_NE(reason.find(words), std::string::npos) << reason;
    EXPECT_TRUE(scene.fleet.splits().empty()) << "the router was not touched";
    EXPECT_FALSE(scene.fleet.is_running(release("v2")));
  }
}

TEST(Rollout, without_requests_is_held_and_goes_on_when_there_are_some) {
  Scene scene;
  scene.fleet.set_rate(0);
  const std::string reason = expect_outcome(scene, scene.deploy(), State::held, "v1=95 v2=5");
  EXPECT_NE(reason.find("got no request"), std::string::npos) << reason;
  const Result<Report> refused = scene.deploy("v3");
  ASSERT_FALSE(refused) << "one is open";
  EXPECT_EQ(refused.error().code(), Errc::conflict);
  scene.fleet.set_rate(200);
  expect_outcome(scene, scene.engine().resume(service()), State::promoted, "v2=100");
}

TEST(Rollout, does_what_the_plan_says_of_undecided_and_calls_it_by_its_name) {
  for (const auto& [policy, outcome, split] : {std::tuple{OnUndecided::rollback, State::rolled_back, "v1=100"},
                                               std::tuple{OnUndecided::advance, State::promoted, "v2=100"},
                                               std::tuple{OnUndecided::hold, State::held, "v1=95 v2=5"}}) {
    Scene scene;
    scene.fleet.set_rate(0.5);
    scene.options.on_undecided = scene.options.on_undecided_early = policy;
    const Result<Report> report = scene.deploy();
    expect_outcome(scene, report, outcome, split);
    EXPECT_TRUE(report->stages.back().verdict.starts_with("undecided: ")) << report->stages.back().verdict;
  }
}

TEST(Rollout, takes_an_outage_of_both_for_no_fault_of_the_new_one) {
  Scene scene;
  scene.world.at(scene.world.now() + 6s, [&] { scene.fleet.set_outage(1); });
  const std::string reason = expect_outcome(scene, scene.deploy(), State::held, "v1=95 v2=5");
  EXPECT_NE(reason.find("outage of both"), std::string::npos) << reason;
}

TEST(Rollout, takes_back_what_turns_bad_late_what_crashes_and_what_loses_its_readiness) {
  for (const sim::Behaviour& behaviour :
       {sim::Behaviour{.error_rate = 0.2, .errors_after = 25s}, sim::Behaviour{.crash_after = 25s},
        sim::Behaviour{.not_ready_after = 25s}, sim::Behaviour{.error_rate = 1, .errors_after = 10s}}) {
    Scene scene;
    scene.options.early_promotion = false;
    scene.fleet.behave(release("v2"), behaviour);
    expect_outcome(scene, scene.deploy(), State::rolled_back, "v1=100");
  }
}

TEST(Rollout, is_held_while_counts_or_router_or_platform_cannot_be_read) {
  for (const std::string blind : {"traffic.read", "router.read", "platform.replicas"}) {
    Scene scene;
    scene.options.early_promotion = false;
    const Instant from = scene.world.now() + 10s;
    scene.fleet.outside.before = [&](std::string_view call) -> Status {
      if (call == blind && scene.world.now() > from) return fail(Errc::unavailable, "gone");
      return {};
    };
    const std::string reason = expect_outcome(scene, scene.deploy(), State::held, "v1=95 v2=5");
    EXPECT_NE(reason.find("gone"), std::string::npos) << reason;
    EXPECT_LT(scene.world.now() - from, 15s);
  }
}

TEST(Rollout, leaves_alone_what_somebody_else_changed) {
  Scene scene;
  scene.world.at(scene.world.now() + 6s, [&] { scene.fleet.set_split({{release("v1"), 70}, {release("v2"), 30}}); });
  const std::string reason = expect_outcome(scene, scene.deploy(), State::held, "v1=70 v2=30");
  EXPECT_NE(reason.find("somebody else"), std::string::npos) << reason;
}

TEST(Rollout, stops_at_once_when_the_service_is_somebody_elses) {
  Scene scene;
  scene.world.at(scene.world.now() + 6s, [&] { scene.seat.taken = true; });
  const Result<Report> report = scene.deploy();
  ASSERT_FALSE(report) << scene.story(report);
  EXPECT_EQ(report.error().code(), Errc::conflict);
  EXPECT_EQ(scene.split(), "v1=95 v2=5") << "whoever has it now decides";
}

TEST(Rollout, is_restored_after_ctrl_c_wherever_it_is) {
  for (const Duration after : {Duration(500ms), Duration(3s), Duration(12s)}) {
    Scene scene;
    scene.options.early_promotion = false;
    scene.world.at(scene.world.now() + after, [&] { scene.world.request_stop(); });
    const std::string reason = expect_outcome(scene, scene.deploy(), State::rolled_back, "v1=100");
    EXPECT_NE(reason.find("interrupted"), std::string::npos) << reason;
    scene.world.clear_stop();
    EXPECT_TRUE(scene.deploy().has_value()) << "an interruption is no verdict";
  }
}

TEST(Rollout, restores_when_its_journal_cannot_be_written_and_says_so) {
  Scene scene;
  const Instant from = scene.world.now() + 8s;
  scene.fleet.outside.before = [&](std::string_view call) -> Status {
    if (call.starts_with("journal.") && scene.world.now() > from) return fail(Errc::exhausted, "disk full");
    return {};
  };
  const Result<Report> report = scene.deploy();
  ASSERT_FALSE(report) << scene.story(report);
  EXPECT_EQ(report.error().code(), Errc::exhausted);
  EXPECT_EQ(scene.split(), "v1=100") << scene.story(report);
  scene.fleet.outside.before = {};
  expect_outcome(scene, scene.engine().resume(service()), State::rolled_back, "v1=100");
}

TEST(Rollback, that_does_not_read_back_right_is_not_called_done) {
  Scene scene;
  scene.fleet.behave(release("v2"), {.error_rate = 0.5});
  scene.world.at(scene.world.now() + 3s, [&] { scene.fleet.jam(true); });
  const std::string reason = expect_outcome(scene, scene.deploy(), State::rollback_incomplete, "v1=95 v2=5");
  EXPECT_NE(reason.find("NOT restored"), std::string::npos) << reason;
  scene.fleet.jam(false);
  expect_outcome(scene, scene.engine().resume(service()), State::rolled_back, "v1=100");
}

TEST(Rollback, of_a_promoted_release_starts_the_old_one_first) {
  Scene scene;
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  expect_outcome(scene, scene.rollback(), State::rolled_back, "v1=100");
  EXPECT_TRUE(scene.fleet.is_running(release("v1")));
  EXPECT_EQ(scene.fleet.user_failures(), 0) << "nobody was sent to a release that was not there yet";
  const Result<Report> again = scene.rollback();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Errc::conflict);
}

TEST(Rollout, of_what_was_taken_back_before_needs_force) {
  Scene scene;
  scene.fleet.behave(release("v2"), {.error_rate = 0.3});
  expect_outcome(scene, scene.deploy(), State::rolled_back, "v1=100");
  const Result<Report> again = scene.deploy();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Errc::rejected) << again.error().text();
  expect_outcome(scene, scene.deploy("v2", true), State::rolled_back, "v1=100");
}

TEST(Rollout, killed_at_any_call_and_resumed_ends_promoted_or_restored) {
  for (const double error_rate : {0.0, 0.2}) {
    int points = 0;
    for (int n = 1;; ++n) {
      Scene scene;
      scene.options.stages = {20};
      scene.options.monitoring_duration = 10s;
      scene.fleet.behave(release("v2"), {.error_rate = error_rate});
      const std::string where = killed_at(scene.fleet.outside, n, [&] { static_cast<void>(scene.deploy()); });
      if (where.empty()) break;
      points = n;
      scene.world.advance(3s);
      const Result<Report> resumed = scene.engine().resume(service());
      const std::string at = fmt::format("killed {} ({}): {}", where, n, scene.story(resumed));
      if (!resumed) {
        // Before the rollout was written down, or after its end was: nothing is open.
        ASSERT_EQ(resumed.error().code(), Errc::not_found) << at;
        ASSERT_TRUE(scene.split() == "v1=100" || scene.split() == "v2=100") << at;
        continue;
      }
      ASSERT_TRUE(is_final(resumed->outcome)) << at;
      ASSERT_EQ(scene.split(), resumed->outcome == State::promoted ? "v2=100" : "v1=100") << at;
      if (error_rate > 0) {
        ASSERT_NE(resumed->outcome, State::promoted) << at;
      }
    }
    EXPECT_GT(points, 100) << "the scenario has that many calls at least";
    RecordProperty("points", points);
  }
}

TEST(Rollout, with_any_one_call_failing_ends_somewhere_that_is_written_down) {
  int points = 0;
  for (int n = 1;; ++n) {
    Scene scene;
    scene.options.stages = {20};
    scene.options.monitoring_duration = 10s;
    int calls = 0;
    std::string where;
    scene.fleet.outside.before = [&](std::string_view call) -> Status {
      if (++calls != n) return {};
      where = call;
      return fail(Errc::unavailable, "that one call failed");
    };
    const Result<Report> report = scene.deploy();
    if (where.empty()) break;
    points = n;
    const std::string at = fmt::format("call {} {} failed: {}", n, where, scene.story(report));
    scene.fleet.outside = {};
    if (report) {
      ASSERT_TRUE(is_final(report->outcome)) << at;
      ASSERT_EQ(scene.split(), report->outcome == State::promoted ? "v2=100" : "v1=100") << at;
    } else {
      ASSERT_TRUE(scene.split() == "v1=100" || scene.split() == "v2=100") << at;
      const Result<Report> resumed = scene.engine().resume(service());
      ASSERT_TRUE(resumed ? is_final(resumed->outcome) : resumed.error().code() == Errc::not_found)
          << at << scene.story(resumed);
    }
  }
  EXPECT_GT(points, 50);
}

TEST(DataChecks, are_asked_before_between_and_after_the_stages) {
  Scene scene;
  DataSays data;
  scene.gate = &data;
  scene.options.gate.file = "checks.yaml";
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  EXPECT_EQ(data.asked, (std::vector{GatePoint::before, GatePoint::between, GatePoint::after}));
  DataSays once;
  Scene other;
  other.gate = &once;
  other.options.gate = {.file = "checks.yaml", .before = false, .between = false};
  expect_outcome(other, other.deploy(), State::promoted, "v2=100");
  EXPECT_EQ(once.asked, (std::vector{GatePoint::after}));
}

TEST(DataChecks, that_fail_take_the_traffic_back_wherever_they_are_asked) {
  for (const std::size_t passes : {0u, 1u, 2u}) {
    Scene scene;
    DataSays data;
    data.answers.assign(passes, GateVerdict::pass);
    data.answers.push_back(GateVerdict::fail);
    scene.gate = &data;
    scene.options.gate.file = "checks.yaml";
    const std::string reason = expect_outcome(scene, scene.deploy(), State::rolled_back, "v1=100");
    EXPECT_NE(reason.find("the data checks failed: 3 checks"), std::string::npos) << reason;
    EXPECT_EQ(data.asked.size(), passes + 1);
    EXPECT_FALSE(scene.fleet.is_running(release("v2")));
  }
}

TEST(DataChecks, that_do_not_say_are_undecided_and_never_health) {
  Scene held;
  DataSays data;
  data.answers = {GateVerdict::pass, GateVerdict::unknown};
  held.gate = &data;
  held.options.gate.file = "checks.yaml";
  held.options.on_undecided_early = OnUndecided::hold;
  expect_outcome(held, held.deploy(), State::held, "v1=95 v2=5");

  Scene extended;
  DataSays later;
  later.answers = {GateVerdict::pass, GateVerdict::unknown, GateVerdict::pass};
  extended.gate = &later;
  extended.options.gate.file = "checks.yaml";
  extended.fleet.set_rate(300);
  expect_outcome(extended, extended.deploy(), State::promoted, "v2=100");
  EXPECT_EQ(later.asked.size(), 4u) << "asked again when the extension is over, not at every look";
  EXPECT_NE(extended.notes.text().find("the data checks do not say: 3 checks; extended (1 of 2)"), std::string::npos)
      << extended.notes.text();

  Scene nobody;
  nobody.options.gate.file = "checks.yaml";
  const std::string reason = expect_outcome(nobody, nobody.deploy(), State::held, "v1=100");
  EXPECT_NE(reason.find("this program cannot ask them"), std::string::npos) << reason;
}

}  // namespace
}  // namespace serin::rollout
