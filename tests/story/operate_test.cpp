// Goal: an operator's day: up, deploy, rollback, kill -9 at the worst moment, down. Method: the commands of the README
// against real processes; what `serin status` reads back from the router is what counts.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "fleet_under_test.hpp"

namespace serin::story {
namespace {

namespace json = boost::json;

// A plan whose stages are short and whose end does not wait for a proof: these tests are about control, not about
// statistics.
const std::initializer_list<std::string> quick_v2{"deploy",
                                                  "prediction-worker",
                                                  "--release",
                                                  "v2",
                                                  "--stages",
                                                  "5,50",
                                                  "--monitoring-duration",
                                                  "2s",
                                                  "--min-stage",
                                                  "1s",
                                                  "--on-undecided",
                                                  "advance",
                                                  "--on-undecided-early",
                                                  "advance",
                                                  "--json"};

class Operate : public testing::Test {
 protected:
  void SetUp() override {
    const Outcome up = fleet.serin({"up"});
    ASSERT_EQ(up.code, 0) << up.text();
  }
  void TearDown() override {
    const Outcome down = fleet.serin({"down"});
    EXPECT_EQ(down.code, 0) << down.text();
    const auto left = processes_mentioning(fleet.state());
    EXPECT_TRUE(left.empty()) << left.size() << " left, the first: " << left.front();
  }
  Fleet fleet;
};

TEST_F(Operate, up_twice_is_fine_and_status_tells_every_service_with_its_address) {
  EXPECT_EQ(fleet.serin({"up"}).code, 0);
  const Outcome status = fleet.serin({"status", "--json"});
  ASSERT_EQ(status.code, 0) << status.text();
  const json::array services = json::parse(status.out).at("services").as_array();
  ASSERT_EQ(services.size(), 6u);
  for (const json::value& service : services) {
    EXPECT_TRUE(std::string(service.at("url").as_string()).starts_with("http://127.0.0.1:"))
        << json::serialize(service);
    const json::object& release = service.at("releases").at(0).as_object();
    EXPECT_EQ(text_of(release.at("state")), "ready") << json::serialize(service);
    EXPECT_EQ(release.at("share").to_number<double>(), 100) << json::serialize(service);
    EXPECT_FALSE(release.at("digest").as_string().empty());
    EXPECT_TRUE(std::string(release.at("url").as_string()).starts_with("http://127.0.0.1:"));
  }
}

TEST_F(Operate, down_and_up_again_is_the_same_fleet_at_the_same_addresses) {
  const json::object before = fleet.service("mlb-worker");
  ASSERT_EQ(fleet.serin({"down"}).code, 0);
  EXPECT_EQ(fleet.serin({"down"}).code, 0) << "twice is fine";
  const Outcome status = fleet.serin({"status"});
  EXPECT_EQ(status.code, 3) << status.text();
  const Outcome up = fleet.serin({"up"});
  ASSERT_EQ(up.code, 0) << up.text();
  EXPECT_EQ(before.at("url"), fleet.service("mlb-worker").at("url"));
}

TEST_F(Operate, a_release_goes_through_its_stages_and_rollback_brings_the_old_one_back) {
  const Outcome deploy = fleet.serin(quick_v2);
  ASSERT_EQ(deploy.code, 0) << deploy.text();
  EXPECT_EQ(text_of(json::parse(deploy.out).at("outcome")), "promoted");
  EXPECT_EQ(fleet.split("prediction-worker"), "v2=100");
  const Outcome rollback = fleet.serin({"rollback", "prediction-worker"});
  EXPECT_EQ(rollback.code, 0) << rollback.text();
  EXPECT_EQ(fleet.split("prediction-worker"), "v1=100");
  const Outcome history = fleet.serin({"history", "--json"});
  const json::object last = json::parse(history.out).at("rollouts").at(0).as_object();
  EXPECT_EQ(text_of(last.at("outcome")), "rolled_back");
  EXPECT_TRUE(last.at("promoted_after_seconds").is_number()) << "it was promoted before that\n" << history.text();
}

TEST_F(Operate, a_release_that_cannot_start_or_lacks_its_model_gets_no_traffic_and_is_named) {
  for (const auto& [release, word] : {std::pair{"v3-crash", "refuse"}, std::pair{"v3-no-model", "model"}}) {
    const Outcome deploy = fleet.serin({"deploy", "prediction-worker", "--release", release, "--ready-timeout", "15s"});
    EXPECT_EQ(deploy.code, 1) << deploy.text();
    EXPECT_NE((deploy.out + deploy.err).find(word), std::string::npos) << "the reason must be named\n" << deploy.text();
    EXPECT_EQ(fleet.split("prediction-worker"), "v1=100");
  }
}

TEST_F(Operate, without_traffic_a_release_is_held_and_never_called_healthy) {
  const Outcome deploy =
      fleet.serin({"deploy", "prediction-worker", "--release", "v2", "--stages", "5", "--monitoring-duration", "2s",
                   "--min-stage", "1s", "--on-undecided", "hold", "--json"});
  EXPECT_EQ(deploy.code, 3) << deploy.text();
  EXPECT_EQ(text_of(json::parse(deploy.out).at("outcome")), "held") << deploy.text();
  EXPECT_EQ(fleet.split("prediction-worker"), "v1=95 v2=5") << "held where it is";
  const Outcome rollback = fleet.serin({"rollback", "prediction-worker"});
  EXPECT_EQ(rollback.code, 0) << rollback.text();
  EXPECT_EQ(fleet.split("prediction-worker"), "v1=100");
}

TEST_F(Operate, kill_9_in_mid_stage_and_resume_ends_promoted_or_restored_never_between) {
  Process deploy(
      fleet.command({"deploy", "prediction-worker", "--release", "v2", "--stages", "5,50", "--monitoring-duration",
                     "4s", "--min-stage", "1s", "--on-undecided", "advance", "--on-undecided-early", "advance"}));
  ASSERT_TRUE(eventually(60s, [&] { return fleet.split("prediction-worker") == "v1=95 v2=5"; })) << deploy.err_so_far();
  // The same service again, while that one runs: refused, and the holder is named.
  const Outcome second = fleet.serin(quick_v2);
  EXPECT_EQ(second.code, 3) << second.text();
  EXPECT_NE(second.err.find(std::to_string(deploy.pid())), std::string::npos) << "the holder's process is named\n"
                                                                              << second.text();
  deploy.signal(SIGKILL);
  deploy.wait(5s);
  EXPECT_EQ(fleet.split("prediction-worker"), "v1=95 v2=5") << "nobody moved anything yet";
  const Outcome resume = fleet.serin({"resume", "prediction-worker"});
  EXPECT_EQ(resume.code, 0) << resume.text();
  EXPECT_EQ(fleet.split("prediction-worker"), "v2=100");
}

TEST_F(Operate, ctrl_c_during_a_rollout_restores_the_split) {
  Process deploy(fleet.command(
      {"deploy", "prediction-worker", "--release", "v2", "--stages", "50", "--monitoring-duration", "60s"}));
  ASSERT_TRUE(eventually(60s, [&] { return fleet.split("prediction-worker") == "v1=50 v2=50"; }))
      << deploy.err_so_far();
  deploy.signal_group(SIGINT);
  const Outcome outcome = deploy.wait(40s);
  EXPECT_EQ(outcome.code, 1) << outcome.text();
  EXPECT_EQ(fleet.split("prediction-worker"), "v1=100");
}

/// Gone, or dead and not yet collected by whoever has to.
bool has_ended(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= text.size() || text[name_end + 2] == 'Z';
}

TEST_F(Operate, kill_9_of_the_agent_stops_nothing_and_up_adopts_what_lives) {
  const json::object before = fleet.service("prediction-worker");
  const Outcome status = fleet.serin({"status", "--json"});
  const auto agent = static_cast<pid_t>(json::parse(status.out).at("agent").at("pid").as_int64());
  ASSERT_GT(agent, 1) << status.text();
  kill(agent, SIGKILL);
  ASSERT_TRUE(eventually(10s, [&] { return has_ended(agent); })) << "a signal takes a moment on a busy machine";
  const Outcome refused = fleet.serin({"deploy", "prediction-worker", "--release", "v2"});
  EXPECT_EQ(refused.code, 3) << "nobody watches: a deploy must not start\n" << refused.text();
  const Outcome up = fleet.serin({"up"});
  ASSERT_EQ(up.code, 0) << up.text();
  const json::object after = fleet.service("prediction-worker");
  EXPECT_EQ(before.at("url"), after.at("url"));
  EXPECT_EQ(before.at("releases").at(0).at("replicas"), after.at("releases").at(0).at("replicas"))
      << "the same processes";
}

}  // namespace
}  // namespace serin::story
