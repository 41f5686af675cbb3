// Goal: the one command that shows everything does, and leaves nothing behind. Method: run it as a person would.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "fleet_under_test.hpp"

namespace serin::story {
namespace {

namespace json = boost::json;

std::vector<std::string> demo(std::initializer_list<std::string> more = {}) {
  std::vector<std::string> argv{bin() + "/serin", "--fleet", source() + "/fleet/fleet.yaml", "demo"};
  argv.insert(argv.end(), more);
  return argv;
}

TEST(Demo, promotes_the_good_release_without_a_failed_request_and_rolls_the_bad_one_back) {
  const Outcome outcome = run(demo({"--json"}), 300s);
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  const json::object report = json::parse(outcome.out).as_object();
  EXPECT_TRUE(report.at("as_expected").as_bool());
  EXPECT_LT(report.at("seconds").as_double(), 240) << "the demo takes at most four minutes";

  const json::object& good = report.at("releases").at(0).as_object();
  EXPECT_EQ(text_of(good.at("rollout").at("outcome")), "promoted") << json::serialize(good);
  EXPECT_EQ(good.at("user_failures"), 0) << json::serialize(good);
  EXPECT_GT(good.at("user_requests").as_int64(), 1000);

  const json::object& bad = report.at("releases").at(1).as_object();
  EXPECT_EQ(text_of(bad.at("rollout").at("outcome")), "rolled_back") << json::serialize(bad);
  EXPECT_GT(bad.at("user_failures").as_int64(), 0) << "5 % of a canary's requests fail: users must have seen some";
  EXPECT_FALSE(bad.at("failures").as_array().empty()) << "the report names the failed requests";
  EXPECT_LT(bad.at("rollout").at("verdict_to_restored_seconds").to_number<double>(), 2.0);
  EXPECT_TRUE(processes_mentioning("serin-demo-").empty()) << processes_mentioning("serin-demo-").front();
}

TEST(Demo, ctrl_c_ends_it_and_leaves_no_process_and_no_folder) {
  Process process(demo());
  ASSERT_TRUE(eventually(120s, [&] { return process.err_so_far().find("releasing v2") != std::string::npos; }))
      << process.err_so_far();
  process.signal_group(SIGINT);
  const Outcome outcome = process.wait(60s);
  EXPECT_FALSE(outcome.timed_out) << outcome.text();
  EXPECT_NE(outcome.code, 0) << outcome.text();
  const auto left = processes_mentioning("serin-demo-");
  EXPECT_TRUE(left.empty()) << left.front() << "\n" << outcome.text();
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("serin-demo-")) << entry.path();
}

TEST(Demo, a_games_file_that_is_not_there_is_said_before_anything_starts) {
  const Outcome outcome = run(demo({"--nba", "/nowhere/games.csv"}), 20s);
  EXPECT_EQ(outcome.code, 2) << outcome.text();
  EXPECT_NE(outcome.err.find("/nowhere/games.csv"), std::string::npos) << outcome.text();
}

}  // namespace
}  // namespace serin::story
