// Goal: the rollout engine brings a release to 100 % on Cloud Run, or the traffic exactly back, whatever happens to the
// service, to its counts and to the engine's own process meanwhile.
// Method: the emulator with users in simulated time, whose requests are counted minutes later; the process is killed at
// every change that it makes, before and after.
#include "rollout_under_test.hpp"

namespace serin::google_emulator {
namespace {

using rollout::State;

TEST_F(CloudRollout, a_good_release_gets_everything_by_its_name) {
  patch("traffic", R"({"traffic":[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST","percent":100},
                       {"revision":"api-v1","percent":0,"tag":"theirs"}]})");
  expect(deploy("api-v2"), State::promoted, "api-v2=100");
  const Answer seen = get(std::string(api));
  EXPECT_EQ(seen.raw.body.find("LATEST"), std::string::npos) << seen.raw.body;
  EXPECT_NE(seen.raw.body.find("theirs"), std::string::npos) << "a tag of somebody else is gone: " << seen.raw.body;
  EXPECT_EQ(seen.text("template/containers/0/image"), "image-api-v2");
}

TEST_F(CloudRollout, a_bad_release_is_taken_back_to_the_exact_split) {
  error_rate["api-v2"] = 0.2;
  expect(deploy("api-v2"), State::rolled_back, "api-v1=100");
  EXPECT_EQ(get(std::string(api)).raw.body.find("serin-v2"), std::string::npos) << "its tag is still there";
}

TEST_F(CloudRollout, a_revision_that_does_not_start_gets_no_traffic_and_the_next_release_is_free_to_go) {
  const auto failed = deploy("api-v2", {{"fail", "MODEL_PATH is not set"}});
  expect(failed, State::failed_to_start, "api-v1=100");
  EXPECT_NE(failed->reason.find("MODEL_PATH is not set"), std::string::npos) << failed->reason;
  expect(deploy("api-v3"), State::promoted, "api-v3=100");
}

TEST_F(CloudRollout, a_split_that_somebody_else_sets_holds_the_rollout_and_stays) {
  world.at(world.now() + 2min, [&] { set_traffic("api-v1", 60, "api-v2"); });
  const auto held = deploy("api-v2");
  expect(held, State::held, "api-v1=60 api-v2=40");
  EXPECT_NE(held->reason.find("somebody else changed it"), std::string::npos) << held->reason;
}

TEST_F(CloudRollout, a_split_that_is_changed_while_ours_is_on_its_way_is_not_overwritten) {
  ASSERT_TRUE(target->read(service, Deadline::never()));
  ASSERT_TRUE(
      target->start(service, {.name = release("api-v2"), .command = {"two"}, .digest = "2"}, Deadline::never()));
  bool done = false;
  network->before = [&](const HttpRequest& request) {
    if (request.method == "PATCH" && !std::exchange(done, true)) set_traffic("api-v1", 60, "api-v2");
  };
  for (int i = 0; i < 2; ++i) {
    const Status applied = target->apply(service, {{release("api-v1"), 95}, {release("api-v2"), 5}}, Deadline::never());
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), Errc::conflict) << applied.error().text();
    EXPECT_EQ(split(), "api-v1=60 api-v2=40");
  }
}

TEST_F(CloudRollout, another_change_to_the_service_at_the_same_moment_is_kept_and_ours_is_made_on_top) {
  int others = 0;
  bool again = false;
  network->before = [&](const HttpRequest& request) {
    // Before every change of ours, but not before its second attempt.
    if (request.method == "PATCH" && std::exchange(again, !again) == false)
      patch("labels", fmt::format(R"({{"labels":{{"n":"{}"}}}})", ++others));
  };
  expect(deploy("api-v2"), State::promoted, "api-v2=100");
  EXPECT_GE(others, 4);
  EXPECT_EQ(get(std::string(api)).text("labels/n"), std::to_string(others));
}

TEST_F(CloudRollout, without_counts_nothing_is_promoted) {
  monitored = false;
  const auto held = deploy("api-v2");
  expect(held, State::held, "api-v1=95 api-v2=5");
}

TEST_F(CloudRollout, a_minute_that_may_not_have_arrived_is_not_complete) {
  world.advance(10min + 30s);
  const std::int64_t now = world.now().time_since_epoch() / 1s;
  const auto window = traffic->read(service, now - 600, Deadline::never());
  ASSERT_TRUE(window) << window.error().text();
  EXPECT_EQ(window->complete, now - 30 - 180 - 1);
  std::int64_t requests = 0;
  for (const TrafficSecond& second : window->seconds)
    for (const TrafficCount& count : second.counts) requests += count.requests;
  EXPECT_EQ(requests, 6 * 60 * 100);
  const int calls = network->calls;
  const auto nothing = traffic->read(service, window->complete, Deadline::never());
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->seconds.empty());
  EXPECT_EQ(network->calls, calls) << "asked although no minute has become whole";
}

TEST_F(CloudRollout, a_share_of_a_half_percent_is_refused) {
  const Status applied =
      target->apply(service, {{release("api-v1"), 97.5}, {release("api-v2"), 2.5}}, Deadline::never());
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), Errc::invalid_argument);
  EXPECT_FALSE(cloud_run::check_stages({2.5, 50}));
  EXPECT_TRUE(cloud_run::check_stages({5, 50}));
}

/// Killed at its nth change to the service, before it or after it; then another process ends the rollout.
class CloudRolloutKilled : public CloudRollout, public testing::WithParamInterface<std::tuple<int, bool>> {};

TEST_P(CloudRolloutKilled, at_a_change_is_resumed_with_one_effect) {
  const int nth = std::get<0>(GetParam());
  const bool after = std::get<1>(GetParam());
  int changes = 0;
  network->kill_after = after;
  network->before = [&](const HttpRequest& request) {
    if (request.method != "PATCH" || ++changes != nth) return;
    if (!after) throw Killed{};
    network->kill_at = network->calls;
  };
  bool killed = false;
  try {
    static_cast<void>(deploy("api-v2"));
  } catch (const Killed&) {
    killed = true;
  }
  ASSERT_TRUE(killed) << "a rollout makes fewer changes than that: " << changes;
  network->before = nullptr;
  world.advance(30s);
  begin_process();
  const auto resumed = engine().resume(service);
  ASSERT_TRUE(resumed) << resumed.error().text();
  // Also before its first share: it was written down and never set, so it is set now.
  expect(resumed, State::promoted, "api-v2=100");
}

// start at 0 %, 5 %, 50 %, 100 %, the old one's stop changes nothing
INSTANTIATE_TEST_SUITE_P(Rollout, CloudRolloutKilled, testing::Combine(testing::Range(1, 5), testing::Bool()));

}  // namespace
}  // namespace serin::google_emulator
