// Goal: kill -9 costs neither evidence nor order. However often and wherever the engine dies, the traffic takes only
// the plan's steps, each once, the seconds written down stay as they were, and what is left runs or is ended as the
// outcome says. Method: every point before and after the effect of every outside call of a whole rollout is killed
// once alone, and once more with a second kill while it is taken up; then it is taken up to its end.
#include <ranges>

#include "engine_under_test.hpp"
#include "serin/rollout/evidence.hpp"

namespace serin::rollout {
namespace {

bool is_action(EventKind kind) {
  return kind == EventKind::start_release || kind == EventKind::probe || kind == EventKind::set_split ||
         kind == EventKind::restore || kind == EventKind::stop_release;
}

/// The traffic only took the plan's steps in their order, and at most once more for each kill.
void expect_steps_of_the_plan(const Scene& scene, bool promoted, int kills) {
  std::vector<std::string> steps;
  for (const Split& split : scene.fleet.splits())
    if (steps.empty() || steps.back() != split_text(split)) steps.push_back(split_text(split));
  EXPECT_LE(static_cast<int>(scene.fleet.splits().size() - steps.size()), kills) << fmt::format("{}", steps.size());
  const std::vector<std::string> forward = {"v1=80 v2=20", "v1=50 v2=50", "v2=100"};
  if (!promoted && !steps.empty()) {
    EXPECT_EQ(steps.back(), "v1=100");
    steps.pop_back();
  }
  ASSERT_LE(steps.size(), forward.size());
  EXPECT_TRUE(std::ranges::equal(steps, forward | std::views::take(steps.size())))
      << fmt::format("{}", fmt::join(steps, ", "));
  if (promoted) {
    EXPECT_EQ(steps.size(), forward.size());
  }
}

/// Nothing that was written down before the kill is another now, no second is missing or there twice, and the judge
/// that reads them all at once finds what the interrupted ones found.
void expect_evidence(const Record& record, const std::vector<Bucket>& before) {
  ASSERT_LE(before.size(), record.buckets.size());
  EXPECT_TRUE(std::ranges::equal(before, record.buckets | std::views::take(before.size())));
  Evidence anew(record.plan);
  std::size_t next = 0;
  const auto entry = [](const Event& e) { return e.kind == EventKind::enter_zero || e.kind == EventKind::enter_stage; };
  const auto second = [](const Event& e) {
    return std::chrono::floor<std::chrono::seconds>(e.at.time_since_epoch()).count();
  };
  for (std::size_t i = 0; i < record.buckets.size(); ++i) {
    Bucket bucket = record.buckets[i];
    if (i > 0) {
      ASSERT_EQ(bucket.second, record.buckets[i - 1].second + 1);
    }
    for (; next < record.events.size() && second(record.events[next]) < bucket.second; ++next)
      if (entry(record.events[next]))
        anew.enter(record.events[next].stage < 0
                       ? 0
                       : record.plan.stages.at(static_cast<std::size_t>(record.events[next].stage)),
                   second(record.events[next]));
    const double worse = bucket.worse;
    anew.add(bucket);
    ASSERT_DOUBLE_EQ(bucket.worse, worse) << "second " << bucket.second;
  }
}

void expect_journal(const Record& record, int kills) {
  int open = 0;
  int ends = 0;
  for (std::size_t i = 0; i < record.events.size(); ++i) {
    EXPECT_EQ(record.events[i].seq, static_cast<std::int64_t>(i) + 1);
    if (is_action(record.events[i].kind) && !record.events[i].done) ++open;
    if (record.events[i].kind == EventKind::finish) ++ends;
  }
  EXPECT_LE(open, kills) << "an action is left open by a kill only";
  EXPECT_EQ(ends, 1);
}

/// Kills a deploy at its n-th point, and taking it up at `second_kill` unless that is 0. False: there is no n-th point.
bool survives(int n, int second_kill, const sim::Behaviour& behaviour, State end) {
  Scene scene;
  scene.options.latency.warm_up = 1s;
  // What it learns of the past has to be the same after a kill.
  scene.world.advance(10s);
  scene.options.stages = {20, 50};
  scene.options.monitoring_duration = 10s;
  scene.fleet.behave(release("v2"), behaviour);
  std::string at = killed_at(scene.fleet.outside, n, [&] { static_cast<void>(scene.deploy()); });
  if (at.empty()) return false;
  int kills = 1;
  const std::vector<Bucket> seen =
      scene.journal.records.empty() ? std::vector<Bucket>{} : scene.journal.records.back().buckets;
  scene.world.advance(3s);
  const auto take_up = [&] { return scene.engine().resume(service()); };
  if (second_kill > 0) {
    const std::string again = killed_at(scene.fleet.outside, second_kill, [&] { static_cast<void>(take_up()); });
    if (!again.empty()) ++kills;
    at += fmt::format(", then {}", again);
    scene.world.advance(1s);
  }
  const Result<Report> resumed = take_up();
  SCOPED_TRACE(fmt::format("killed at {}, {}: {}", n, at, scene.story(resumed)));
  if (!resumed) {
    EXPECT_EQ(resumed.error().code(), Errc::not_found);
  }
  if (scene.journal.records.empty()) {
    EXPECT_EQ(scene.split(), "v1=100");
    EXPECT_FALSE(scene.fleet.is_running(release("v2")));
    return true;
  }
  const Record& record = scene.journal.records.back();
  const bool promoted = record.progress.state == State::promoted;
  EXPECT_TRUE(promoted || record.progress.state == State::rolled_back ||
              record.progress.state == State::failed_to_start);
  if (end == State::promoted) {
    EXPECT_TRUE(promoted) << "a healthy release goes on where it was";
  } else {
    EXPECT_FALSE(promoted);
  }
  EXPECT_EQ(scene.split(), promoted ? "v2=100" : "v1=100");
  EXPECT_EQ(scene.fleet.is_running(release("v1")), !promoted);
  EXPECT_EQ(scene.fleet.is_running(release("v2")), promoted);
  expect_steps_of_the_plan(scene, promoted, kills);
  expect_evidence(record, seen);
  expect_journal(record, kills);
  return true;
}

void sweep(const sim::Behaviour& behaviour, State end, bool twice) {
  int n = 1;
  // The second kill wanders over the points of taking up, so that they meet in many pairs.
  while (survives(n, twice ? 1 + n * 7 % 31 : 0, behaviour, end) && !testing::Test::HasFailure()) ++n;
  EXPECT_GT(n, 100) << "the scenario has that many points at least";
}

const sim::Behaviour healthy{};
const sim::Behaviour failing{.error_rate = 0.2};
const sim::Behaviour slow{.takes = 60ms, .stalls = 0.1};

TEST(Killed, anywhere_in_a_rollout_to_the_end_keeps_evidence_and_order) { sweep(healthy, State::promoted, false); }
TEST(Killed, anywhere_in_a_rollout_that_is_taken_back_keeps_evidence_and_order) {
  sweep(failing, State::rolled_back, false);
}
TEST(Killed, anywhere_in_a_rollout_of_a_slow_release_keeps_evidence_and_order) {
  sweep(slow, State::rolled_back, false);
}
TEST(Killed, again_while_it_is_taken_up_still_goes_on) { sweep(healthy, State::promoted, true); }
TEST(Killed, again_while_it_is_taken_up_still_takes_back_what_is_bad) { sweep(failing, State::rolled_back, true); }
TEST(Killed, again_while_it_is_taken_up_still_takes_back_what_is_slow) { sweep(slow, State::rolled_back, true); }

}  // namespace
}  // namespace serin::rollout
