// Goal: whoever steers a running rollout is obeyed exactly once, or refused with words, and a paused stage is watched
// all the same. Method: orders given at moments of the world's time; for kills, every point before and after the
// effect of every outside call of a rollout that is steered.
#include "engine_under_test.hpp"

namespace serin::rollout {
namespace {

struct Steered : Scene {
  Steered() { options.early_promotion = false; }
  /// That long after now.
  void order(Duration in, OrderKind kind, std::string reason = "because") {
    world.at(world.now() + in, [this, kind, reason] { orders.give(kind, reason); });
  }
  [[nodiscard]] OrderAnswer answer(std::size_t index) const {
    const auto& answer = orders.answers.at(index);
    EXPECT_TRUE(answer) << "order " << index + 1 << " has no answer\n" << notes.text();
    return answer.value_or(OrderAnswer{});
  }
};

Duration lasted(const Result<Report>& report, double percent) {
  if (!report) return {};
  for (const StageReport& stage : report->stages)
    if (stage.percent == percent) return stage.lasted;
  return {};
}

TEST(Orders, a_paused_stage_stays_and_its_clock_goes_on_where_it_stood) {
  Steered scene;
  scene.order(10s, OrderKind::pause, "the shop is being moved");
  scene.order(110s, OrderKind::resume);
  const Result<Report> report = scene.deploy();
  expect_outcome(scene, report, State::promoted, "v2=100");
  EXPECT_EQ(scene.answer(0), (OrderAnswer{true, "paused at 5 %"}));
  EXPECT_EQ(scene.answer(1), (OrderAnswer{true, "goes on at 5 %"}));
  EXPECT_GE(lasted(report, 5), 130s) << scene.story(report);
  EXPECT_LE(lasted(report, 5), 134s) << scene.story(report);
  EXPECT_LE(lasted(report, 50), 34s) << "the pause was the first stage's";
  const Record& record = scene.journal.records.back();
  const auto event = std::ranges::find(record.events, EventKind::order, &Event::kind);
  ASSERT_NE(event, record.events.end());
  EXPECT_EQ(event->order->by, "anna@host") << "who and why are in the journal";
  EXPECT_EQ(event->order->reason, "the shop is being moved");
  EXPECT_NE(scene.notes.text().find("anna@host (order 1): the shop is being moved"), std::string::npos);
}

TEST(Orders, a_paused_rollout_says_by_whom_and_one_that_goes_on_does_not) {
  Steered scene;
  scene.order(10s, OrderKind::pause, "lunch");
  std::string paused;
  std::string after;
  const auto seen = [&] { return make_report(scene.journal.records.back()).paused; };
  scene.world.at(scene.world.now() + 15s, [&] { paused = seen(); });
  scene.order(20s, OrderKind::resume);
  scene.world.at(scene.world.now() + 25s, [&] { after = seen(); });
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  EXPECT_EQ(paused, "paused by anna@host (order 1): lunch");
  EXPECT_EQ(after, "");
}

TEST(Orders, a_paused_stage_is_still_taken_back_when_it_is_worse_or_crashes) {
  for (const sim::Behaviour& behaviour :
       {sim::Behaviour{.error_rate = 0.2, .errors_after = 30s}, sim::Behaviour{.crash_after = 30s}}) {
    Steered scene;
    scene.fleet.behave(release("v2"), behaviour);
    scene.order(10s, OrderKind::pause);
    const Result<Report> report = scene.deploy();
    expect_outcome(scene, report, State::rolled_back, "v1=100");
    EXPECT_TRUE(report && report->paused.empty());
  }
}

TEST(Orders, promote_leaves_a_stage_in_which_nothing_is_proved_and_says_so) {
  Steered scene;
  scene.fleet.set_rate(0);
  scene.order(8s, OrderKind::promote, "nobody is awake");
  scene.order(12s, OrderKind::promote);
  const Result<Report> report = scene.deploy();
  expect_outcome(scene, report, State::promoted, "v2=100");
  EXPECT_EQ(scene.fleet.splits().size(), 3u) << "every stage was taken";
  ASSERT_FALSE(report->stages.empty());
  EXPECT_EQ(report->stages.at(1).verdict.find("promoted by anna@host (order 1): nobody is awake, without a proof of "
                                              "health: "),
            0u)
      << report->stages.at(1).verdict;
}

TEST(Orders, promote_ends_a_pause_and_full_goes_to_the_end_without_stages_or_data) {
  Steered scene;
  DataSays data;
  scene.gate = &data;
  scene.options.gate = {.file = "checks.yaml"};
  scene.order(8s, OrderKind::pause);
  scene.order(20s, OrderKind::promote_full, "the fix is urgent");
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  ASSERT_EQ(scene.fleet.splits().size(), 2u);
  EXPECT_EQ(split_text(scene.fleet.splits()[0]), "v1=95 v2=5");
  EXPECT_EQ(data.asked, std::vector{GatePoint::before});
}

TEST(Orders, promote_does_not_outweigh_what_the_data_or_a_hard_rule_says) {
  Steered failing;
  DataSays data;
  data.answers = {GateVerdict::pass, GateVerdict::fail};
  failing.gate = &data;
  failing.options.gate = {.file = "checks.yaml"};
  failing.order(8s, OrderKind::promote);
  expect_outcome(failing, failing.deploy(), State::rolled_back, "v1=100");

  Steered crashing;
  crashing.fleet.behave(release("v2"), {.crash_after = 10s});
  crashing.order(12s, OrderKind::promote);
  expect_outcome(crashing, crashing.deploy(), State::rolled_back, "v1=100");
}

TEST(Orders, abort_restores_at_once_and_condemns_nothing) {
  Steered scene;
  scene.order(8s, OrderKind::abort, "wrong branch");
  const Instant began = scene.world.now();
  const std::string reason = expect_outcome(scene, scene.deploy(), State::rolled_back, "v1=100");
  EXPECT_EQ(reason, "aborted by anna@host (order 1): wrong branch");
  EXPECT_LT(scene.world.now() - began, 10s);
  EXPECT_TRUE(scene.answer(0).accepted);
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
}

TEST(Orders, abort_at_zero_percent_moves_nothing) {
  Steered scene;
  scene.options.zero_duration = 20s;
  scene.order(8s, OrderKind::abort);
  expect_outcome(scene, scene.deploy(), State::rolled_back, "v1=100");
  EXPECT_FALSE(scene.fleet.is_running(release("v2")));
}

TEST(Orders, that_cannot_be_followed_are_refused_with_words) {
  Steered scene;
  scene.order(8s, OrderKind::resume);
  scene.order(10s, OrderKind::pause, "lunch");
  scene.order(12s, OrderKind::pause);
  scene.order(14s, OrderKind::resume);
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  EXPECT_EQ(scene.answer(0), (OrderAnswer{false, "it is not paused, it is at 5 %"}));
  EXPECT_TRUE(scene.answer(1).accepted);
  EXPECT_EQ(scene.answer(2), (OrderAnswer{false, "it is paused already, paused by anna@host (order 2): lunch"}));
  EXPECT_TRUE(scene.answer(3).accepted);
}

TEST(Orders, that_come_when_it_is_over_are_told_so) {
  Steered scene;
  scene.fleet.outside.after = [&](std::string_view call) {
    if (call == "router.apply" && scene.split() == "v2=100" && scene.orders.given.empty())
      scene.orders.give(OrderKind::abort);
  };
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  EXPECT_FALSE(scene.answer(0).accepted);
  EXPECT_NE(scene.answer(0).text.find("to v2 is promoted, it is over: "), std::string::npos) << scene.answer(0).text;
}

TEST(Orders, nobody_is_sent_back_to_a_version_that_is_dead) {
  Steered scene;
  scene.options.readiness_grace = 0s;
  scene.fleet.behave(release("v1"), {.crash_after = 18s});
  scene.world.at(scene.world.now() + 8s, [&] {
    static_cast<void>(scene.fleet.stop(service(), release("v1"), Deadline::never()));
    scene.orders.give(OrderKind::abort);
  });
  expect_outcome(scene, scene.deploy(), State::held, "v1=95 v2=5");
  EXPECT_FALSE(scene.answer(0).accepted);
  EXPECT_NE(scene.answer(0).text.find("not alive"), std::string::npos) << scene.answer(0).text;
}

TEST(Orders, that_cannot_be_read_keep_it_where_it_is_and_then_it_is_held) {
  Steered scene;
  const Instant from = scene.world.now() + 25s;
  scene.fleet.outside.before = [&](std::string_view call) -> Status {
    if (call == "orders.waiting" && scene.world.now() > from) return fail(Errc::unavailable, "locked");
    return {};
  };
  const std::string reason = expect_outcome(scene, scene.deploy(), State::held, "v1=95 v2=5");
  EXPECT_NE(reason.find("it was not known what was ordered"), std::string::npos) << reason;
  EXPECT_NE(reason.find("locked"), std::string::npos) << reason;

  Steered shorter;  // the stage would be over in the middle of it
  shorter.options.blind_timeout = 20s;
  shorter.fleet.set_rate(1000);  // proved in time
  const Instant began = shorter.world.now();
  shorter.fleet.outside.before = [&](std::string_view call) -> Status {
    const Duration passed = shorter.world.now() - began;
    if (call == "orders.waiting" && passed > 25s && passed < 40s) return fail(Errc::unavailable, "locked");
    return {};
  };
  const Result<Report> report = shorter.deploy();
  expect_outcome(shorter, report, State::promoted, "v2=100");
  EXPECT_GT(lasted(report, 5), 36s) << "not left while it was not known whether somebody paused it";
}

TEST(Orders, a_pause_outlives_the_process_and_a_hold_ends_it) {
  Steered scene;
  scene.order(10s, OrderKind::pause, "lunch");
  EXPECT_THROW(
      {
        scene.fleet.outside.before = [&](std::string_view) -> Status {
          if (!scene.orders.answers.empty() && scene.orders.answers[0]) throw sim::Killed{};
          return {};
        };
        static_cast<void>(scene.deploy());
      },
      sim::Killed);
  scene.fleet.outside = {};
  scene.world.advance(60s);
  scene.order(60s, OrderKind::resume);
  const Result<Report> report = scene.engine().resume(service());
  expect_outcome(scene, report, State::promoted, "v2=100");
  EXPECT_GT(lasted(report, 5), 140s) << scene.story(report);
  EXPECT_NE(scene.notes.text().find("still paused by anna@host (order 1): lunch"), std::string::npos);

  Steered held;
  held.order(10s, OrderKind::pause);
  held.world.at(held.world.now() + 20s, [&] { held.fleet.set_split({{release("v1"), 70}, {release("v2"), 30}}); });
  expect_outcome(held, held.deploy(), State::held, "v1=70 v2=30");
  held.fleet.set_split({{release("v1"), 95}, {release("v2"), 5}});
  expect_outcome(held, held.engine().resume(service()), State::promoted, "v2=100");
}

TEST(Approvals, are_asked_for_when_all_else_is_shown_and_the_candidate_waits_without_traffic) {
  Steered scene;
  scene.options.early_promotion = true;
  scene.options.approval = {.first = true, .before = {50, 100}, .timeout = 1h};
  std::string awaits;
  std::string split;
  scene.world.at(scene.world.now() + 50s, [&] {
    awaits = make_report(scene.journal.records.back()).awaits;
    split = scene.split();
  });
  scene.order(100s, OrderKind::approve, "looks good");
  scene.order(300s, OrderKind::approve);
  scene.order(600s, OrderKind::approve);
  const Result<Report> report = scene.deploy();
  expect_outcome(scene, report, State::promoted, "v2=100");
  EXPECT_EQ(awaits, "waits for an approval before 5 %");
  EXPECT_EQ(split, "v1=100") << "nothing was moved before the first yes";
  EXPECT_EQ(scene.answer(0), (OrderAnswer{true, "5 % is approved"}));
  EXPECT_EQ(scene.answer(1), (OrderAnswer{true, "50 % is approved"}));
  EXPECT_EQ(scene.answer(2), (OrderAnswer{true, "100 % is approved"}));
  ASSERT_EQ(report->stages.size(), 3u);
  EXPECT_NE(report->stages[0].verdict.find("; approved by anna@host (order 1): looks good"), std::string::npos)
      << report->stages[0].verdict;
  EXPECT_TRUE(report->stages[1].verdict.starts_with("healthy: ")) << report->stages[1].verdict;
  EXPECT_GE(lasted(report, 5), 195s) << "it waited";
  EXPECT_TRUE(report->awaits.empty());
}

TEST(Approvals, that_nobody_gives_hold_and_a_rejection_restores) {
  Steered scene;
  scene.options.approval = {.first = true, .timeout = 60s};
  const std::string reason = expect_outcome(scene, scene.deploy(), State::held, "v1=100");
  EXPECT_EQ(reason, "nobody approved 5 % within 1m");
  scene.order(20s, OrderKind::approve);
  expect_outcome(scene, scene.engine().resume(service()), State::promoted, "v2=100");

  Steered rejected;
  rejected.options.approval = {.before = {50}};
  rejected.fleet.set_rate(1000);
  rejected.order(50s, OrderKind::reject, "not on a Friday");
  const std::string words = expect_outcome(rejected, rejected.deploy(), State::rolled_back, "v1=100");
  EXPECT_EQ(words, "rejected by anna@host (order 1): not on a Friday");
}

TEST(Approvals, are_taken_where_they_are_asked_for_and_nowhere_else) {
  Steered scene;
  scene.fleet.set_rate(1000);
  scene.options.approval = {.before = {50}};
  scene.order(10s, OrderKind::approve);
  scene.world.at(scene.world.now() + 45s, [&] {
    scene.orders.give(OrderKind::approve);
    scene.orders.given.back().percent = 100;
  });
  scene.order(50s, OrderKind::promote);
  scene.world.at(scene.world.now() + 55s, [&] {
    scene.orders.give(OrderKind::approve);
    scene.orders.given.back().percent = 50;
  });
  expect_outcome(scene, scene.deploy(), State::promoted, "v2=100");
  EXPECT_EQ(scene.answer(0), (OrderAnswer{false, "it waits for no approval, it is at 5 %"}));
  EXPECT_EQ(scene.answer(1), (OrderAnswer{false, "it waits for an approval before 50 %, not before 100 %"}));
  EXPECT_TRUE(scene.answer(3).accepted);
}

TEST(Approvals, are_not_waited_for_by_what_has_to_be_taken_back) {
  Steered scene;
  scene.options.approval = {.before = {50}};
  scene.fleet.set_rate(1000);
  scene.fleet.behave(release("v2"), {.error_rate = 0.2, .errors_after = 60s});
  const Instant began = scene.world.now();
  expect_outcome(scene, scene.deploy(), State::rolled_back, "v1=100");
  EXPECT_LT(scene.world.now() - began, 90s);
}

/// Kills a steered deploy at its n-th point, takes it up to its end, and looks at the orders. False: no n-th point.
bool obeys_once(int n, const std::vector<std::pair<Duration, OrderKind>>& script, State end,
                const ApprovalPlan& approval) {
  Steered scene;
  scene.options.approval = approval;
  scene.options.stages = {20, 50};
  scene.options.monitoring_duration = 10s;
  for (const auto& [in, kind] : script) scene.order(in, kind);
  const std::string at = killed_at(scene.fleet.outside, n, [&] { static_cast<void>(scene.deploy()); });
  if (at.empty()) return false;
  scene.world.advance(1s);
  const Result<Report> resumed = scene.engine().resume(service());
  SCOPED_TRACE(fmt::format("killed at {}, {}: {}", n, at, scene.story(resumed)));
  if (scene.journal.records.empty()) return true;
  const Record& record = scene.journal.records.back();
  EXPECT_TRUE(is_final(record.progress.state) || !approval.before.empty()) << "without approvals nothing holds it";
  if (end == State::rolled_back) {
    EXPECT_EQ(scene.split(), "v1=100");
  }
  const Event& last = record.events.back();
  for (const Order& order : scene.orders.given) {
    const auto events = std::ranges::count_if(
        record.events, [&](const Event& event) { return event.order && event.order->id == order.id; });
    EXPECT_LE(events, 1) << "order " << order.id;
    const auto& answer = scene.orders.answers.at(static_cast<std::size_t>(order.id) - 1);
    if (!answer) {
      // Only somebody who sees in the journal that it is over could answer those.
      EXPECT_EQ(events, 0) << "order " << order.id;
      EXPECT_TRUE(last.kind == EventKind::finish || last.kind == EventKind::hold);
    } else {
      const bool late = answer->text.find(", it is over") != std::string::npos ||
                        answer->text.find("no process drives it") != std::string::npos;
      EXPECT_EQ(events == 1, !late) << answer->text;
    }
  }
  return true;
}

void sweep(const std::vector<std::pair<Duration, OrderKind>>& script, State end, const ApprovalPlan& approval = {}) {
  int n = 1;
  while (obeys_once(n, script, end, approval) && !testing::Test::HasFailure()) ++n;
  EXPECT_GT(n, 100) << "the scenario has that many points at least";
}

TEST(Orders, are_obeyed_once_wherever_the_engine_is_killed) {
  sweep({{5s, OrderKind::pause}, {9s, OrderKind::resume}, {18s, OrderKind::promote}}, State::promoted);
}
TEST(Orders, abort_is_obeyed_wherever_the_engine_is_killed) {
  sweep({{4s, OrderKind::pause}, {8s, OrderKind::abort}}, State::rolled_back);
}
TEST(Approvals, at_zero_and_later_are_taken_once_wherever_the_engine_is_killed) {
  sweep({{6s, OrderKind::approve}, {9s, OrderKind::pause}, {12s, OrderKind::resume}, {30s, OrderKind::approve}},
        State::promoted, {.first = true, .before = {50}, .timeout = 1min});
}
TEST(Orders, full_promotion_is_obeyed_once_wherever_the_engine_is_killed) {
  sweep({{4s, OrderKind::promote_full}}, State::promoted);
}

}  // namespace
}  // namespace serin::rollout
